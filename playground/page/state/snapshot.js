/** The page's state as it goes into a link, into storage and into a file: masked, and nothing but plain values. */

import { MOST_DOCUMENTS, wrongName } from '../documents/names.js';

const NOT_OURS = 'This is no state of the playground: ';

/**
 * Takes the state of the page. The values of Secrets and of environment variables are masked by the module.
 *
 * @param {import('../documents/documents.js').Documents} documents the documents
 * @param {object} options the plan's options
 * @param {(text: string) => Promise<string>} mask the module's function
 * @returns {Promise<{ snapshot: object, leftOut: string[] }>} the state, and the names of the documents that are no
 *   text and so not in it
 */
export async function take(documents, options, mask) {
  const { active, list, settings } = documents;
  const texts = list.filter((doc) => doc.isText);
  const shown = active === settings ? texts.length : Math.max(0, texts.indexOf(active));
  const leftOut = list.filter((doc) => !doc.isText).map((doc) => doc.name);
  // From here on, others may take the place of these documents.
  const taken = await Promise.all([...texts, settings].map((doc) => masked(doc, mask)));
  const { text } = taken.pop();
  return { snapshot: { documents: taken, settings: text, options, active: shown }, leftOut };
}

/**
 * Looks at a state that came from outside.
 *
 * @param {unknown} found what came
 * @returns {{ documents: object[], settings: string, options: object, active: number }} the state
 */
export function check(found) {
  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const refuse = (what) => {
    throw new Error(`${NOT_OURS}${what}.`);
  };
  if (!isObject(found)) refuse('it is no object');
  const { documents, settings = '', options = {}, active = 0 } = found;
  if (!Array.isArray(documents)) refuse('it has no documents');
  if (typeof settings !== 'string') refuse('its settings are no text');
  if (!isObject(options)) refuse('its options are no object');
  if (!Number.isInteger(active)) refuse('no document is shown');
  if (documents.length > MOST_DOCUMENTS) {
    refuse(`it has more than ${MOST_DOCUMENTS.toLocaleString('en')} documents`);
  }
  const checked = documents.map((doc) => {
    const { name, text, encoding = 'utf-8', mark = '' } = isObject(doc) ? doc : {};
    if (typeof name !== 'string' || name === '') refuse('a document has no name');
    const wrong = wrongName(name);
    if (wrong !== null) refuse(`a document ${wrong}`);
    if (typeof text !== 'string') refuse('a document has no text');
    if (!ENCODINGS.has(encoding) || !/^\u{feff}*$/u.test(mark)) refuse('a document has no encoding');
    return { name, text, encoding, mark };
  });
  return { documents: checked, settings, options, active };
}

const ENCODINGS = new Set(['utf-8', 'utf-16le', 'utf-16be']);

/** By each document, what it was masked to, as long as it does not change. */
const known = new WeakMap();

async function masked(doc, mask) {
  const before = known.get(doc);
  if (before?.version === doc.version) return before.taken;
  const { name, version, encoding, mark } = doc;
  const text = await mask(doc.text.toWellFormed());
  const taken = { name, text };
  if (encoding !== 'utf-8') taken.encoding = encoding;
  if (mark !== '') taken.mark = mark;
  known.set(doc, { version, taken });
  return taken;
}
