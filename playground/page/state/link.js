/**
 * The page's state as a link's fragment, and back: `#1.` and JSON, deflated, in base64url. Whatever a link holds
 * is read within bounds, and anything that is not as this page writes it is refused with a sentence.
 */

/** A link is no longer than this: longer ones are cut by what people paste them into. */
export const LINK_LIMIT = 16_000;

/** What a link may hold when it is inflated, in bytes. */
const INFLATED_LIMIT = 5 * 1024 * 1024;

const VERSION = '1';

const BROKEN = 'The link is broken: something of it is missing or was changed. Ask for it again.';

/**
 * The fragment of a state.
 *
 * @param {object} snapshot the state
 * @returns {Promise<string>} the fragment, with its #
 */
export async function toFragment(snapshot) {
  const json = new TextEncoder().encode(JSON.stringify(snapshot));
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const text = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return `#${VERSION}.${text}`;
}

/**
 * The state of a fragment.
 *
 * @param {string} fragment the fragment, with its #
 * @returns {Promise<unknown>} the state, not yet looked at; null if the fragment is none of this page's
 */
export async function fromFragment(fragment) {
  const [, version, text] = /^#(\d+)\.(.*)$/s.exec(fragment) ?? [];
  if (version === undefined) return null;
  if (version !== VERSION) {
    throw new Error(
      `The link is of version ${version.slice(0, 9)}, and this page reads version ${VERSION}: reload it.`,
    );
  }
  let json;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    json = await inflated(bytes);
  } catch {
    throw new Error(BROKEN);
  }
  if (json === null) throw new Error('The link holds more than 5 MB, which no link of this page does.');
  try {
    return JSON.parse(json);
  } catch {
    throw new Error(BROKEN);
  }
}

/** The text; null if it is too long. What is too long is never held in whole. */
async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let size = 0;
  for await (const part of iterate(stream)) {
    size += part.length;
    if (size > INFLATED_LIMIT) return null;
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

/** Not every browser iterates over a stream by itself. */
async function* iterate(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
