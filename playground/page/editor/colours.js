/** The colours of YAML, and what else the editor knows of it: only for texts that its parser gets through quickly. */

import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { Compartment, EditorState, Text } from '@codemirror/state';

/** The longest text, in UTF-16 units. */
const LONGEST = 1024 * 1024;

/** The longest line: what is nested within a line takes the parser the square of its length. */
const LONGEST_LINE = 5_000;

/** How many brackets may open something: the parser holds all that are open. */
const MOST_BRACKETS = 20_000;

const known = new Compartment();
const language = [yaml(), indentOnInput(), bracketMatching()];
const nothing = [];

/** The language comes and goes with the text. */
const follow = EditorState.transactionExtender.of(({ docChanged, startState, newDoc }) => {
  if (!docChanged) return null;
  const wanted = wantedFor(newDoc);
  return wanted === known.get(startState) ? null : { effects: known.reconfigure(wanted) };
});

/**
 * What the editor knows of YAML, as long as a text is not too much for it.
 *
 * @param {string} text the text
 * @returns {import('@codemirror/state').Extension} the extension
 */
export function colours(text) {
  return [known.of(wantedFor(Text.of(text.split(/\r\n?|\n/)))), follow];
}

function wantedFor(doc) {
  return isReadable(doc) ? language : nothing;
}

/**
 * Whether the parser gets through a text so quickly that typing in it is not held up.
 *
 * @param {Text} doc the text
 * @returns {boolean} whether it does
 */
export function isReadable(doc) {
  if (doc.length > LONGEST) return false;
  let brackets = 0;
  for (const line of doc.iterLines()) {
    if (line.length > LONGEST_LINE) return false;
    for (const character of line) if (character === '[' || character === '{') brackets += 1;
    if (brackets > MOST_BRACKETS) return false;
  }
  return true;
}
