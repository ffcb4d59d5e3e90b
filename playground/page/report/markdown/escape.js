/**
 * Text that Markdown leaves alone. Whatever could be markup, a mention, a reference, a link or an
 * emoji stands in a code span, where GitHub and GitLab look for none of these; backslashes would not
 * keep them from `@somebody` and `#123`.
 */

import { visible } from '../text.js';

/** A word of letters, with what stands around words in a sentence. */
const WORD = /^\(?\p{L}+(?:['’-]\p{L}+)*\)?[.,;:?!]?\)?$/u;

/** A number as sentences have it; "1." at the beginning of a line would be a list. */
const NUMBER = /^\(?\d{1,6}\)?[,;:]?$/;

/** What may be the hash of a commit. */
const HASH = /^[0-9a-f]{7,}$/i;

/** A name in quotes, as the report quotes it, with what touches it; or anything up to a space. */
const TOKEN = /[^\s"]*"[^"]*"[^\s"]*|\S+/gu;

/**
 * A text in a code span.
 * @param {string} text
 * @returns {string}
 */
export function code(text) {
  const shown = visible(text) || ' ';
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  // A space at both ends is taken away again, unless there is nothing else.
  const pad = shown.trim() && /^[` ]|[` ]$/.test(shown) ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/**
 * A sentence: its plain words as they are, everything else in code spans.
 * @param {string} sentence
 * @returns {string}
 */
export function prose(sentence) {
  const words = visible(sentence).match(TOKEN) ?? [];
  return words.map((word) => (isPlain(word) ? word : spanned(word))).join(' ');
}

function isPlain(word) {
  const letters = word.replace(/[^\p{L}\d]/gu, '');
  return (WORD.test(word) && !HASH.test(letters)) || NUMBER.test(word);
}

/** A code span, with the punctuation of the sentence outside of it. */
function spanned(word) {
  const [, open, inner, close] = /^(\(?)(.*?)(\)?[.,;:]?)$/su.exec(word);
  return inner ? `${open}${code(inner)}${close}` : code(word);
}
