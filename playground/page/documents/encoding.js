/**
 * Bytes as text, and text as the same bytes again: UTF-8, or UTF-16 with a byte order mark, as the project's
 * reader takes them.
 */

const MARK = '\u{feff}';

/**
 * What a file is.
 *
 * @typedef {object} Decoded
 * @property {string} text its text, without byte order marks
 * @property {'utf-8' | 'utf-16le' | 'utf-16be' | null} encoding how it is written; null if it is no text
 * @property {string} mark the byte order marks before it
 */

/**
 * Reads bytes as text. What is no text is shown with replacement characters.
 *
 * @param {Uint8Array} bytes the bytes
 * @returns {Decoded} what they are
 */
export function decode(bytes) {
  const encoding = encodingOf(bytes);
  let text;
  try {
    text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { text: new TextDecoder(encoding).decode(bytes), encoding: null, mark: '' };
  }
  // Of UTF-16, the first mark says which it is; more are content, as they are for the reader.
  const marks = encoding === 'utf-8' ? /^\u{feff}*/u : /^\u{feff}?/u;
  const [mark] = marks.exec(text);
  return { text: text.slice(mark.length), encoding, mark };
}

/**
 * Writes a text as it was written before.
 *
 * @param {Decoded} decoded the text, and how it is written
 * @returns {Uint8Array} the bytes
 */
export function encode({ text, encoding, mark = '' }) {
  const whole = (mark + text).toWellFormed();
  if (encoding !== 'utf-16le' && encoding !== 'utf-16be') return new TextEncoder().encode(whole);
  const bytes = new Uint8Array(whole.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < whole.length; index += 1) {
    view.setUint16(index * 2, whole.charCodeAt(index), encoding === 'utf-16le');
  }
  return bytes;
}

function encodingOf([first, second]) {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return 'utf-8';
}

export { MARK };
