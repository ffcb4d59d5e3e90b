// Places of the report, as places of the editor and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../page/documents/encoding.js';
import { stateOf } from '../page/editor/line-ends.js';
import { offsetAt, placeAt } from '../page/editor/position.js';

// What is wanted is the text from the place on.
const places = [
  ['the beginning', 'a: 1\n', 1, 1, 'a: 1\n'],
  ['within a line', 'a: 1\nb: ]\n', 2, 4, ']\n'],
  ['a tab is one character', 'a:\t]\n', 1, 4, ']\n'],
  ['after an emoji', 'a: "😀" ]\n', 1, 8, ']\n'],
  ['after an emoji of several characters', 'a: "👩‍👩‍👧" ]', 1, 12, ']'],
  ['after a combining mark', 'a: "e\u0301" ]', 1, 9, ']'],
  ['after characters of two bytes', 'ä: ö ]', 1, 6, ']'],
  ['right to left', 'a: "שלום" ]', 1, 11, ']'],
  ['carriage return and line feed', 'a: 1\r\nb: 2\r\nc: ]\r\n', 3, 4, ']\n'],
  ['carriage returns alone', 'a: 1\rb: 2\rc: [\r', 3, 4, '[\n'],
  ['mixed ends', 'a\r\n\n\rb ]', 4, 3, ']'],
  ['old line breaks end no line', 'a\u0085b\u2028c: 1\nb: ]', 2, 4, ']'],
  ['a byte order mark', '\u{feff}a: ]\n', 1, 4, ']\n'],
  ['two byte order marks', '\u{feff}\u{feff}a: ]\n', 1, 4, ']\n'],
  ['a byte order mark after a marker', 'a: 1\n---\n\u{feff}b: ]\n', 3, 4, ']\n'],
  ['a byte order mark within a document', 'a: 1\n\u{feff}b: ]\n', 2, 5, ']\n'],
  ['the end of a line', 'a: 1\nb', 1, 5, '\nb'],
  ['beyond the end of a line', 'a: 1\nb', 1, 99, '\nb'],
  ['the line after the last', 'a: [\n', 2, 1, ''],
  ['beyond the last line', 'a: [\n', 9, 9, ''],
  ['the whole document', 'a: 1\n', 0, 0, 'a: 1\n'],
  ['an empty document', '', 1, 1, ''],
];

for (const [name, written, line, column, rest] of places) {
  test(name, () => {
    const { text } = decode(new TextEncoder().encode(written));
    const { doc } = stateOf(text);
    const offset = offsetAt(doc, { line, column });
    assert.equal(doc.sliceString(offset), rest);
    const isExact = line > 0 && line <= doc.lines && !name.startsWith('beyond');
    if (isExact) assert.deepEqual(placeAt(doc, offset), { line, column });
  });
}
