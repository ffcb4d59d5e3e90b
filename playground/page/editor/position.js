/**
 * Places, between the report and the editor. The report counts lines and columns from 1, and a column in
 * characters (Unicode scalar values; a tab is one). The editor counts UTF-16 units from the document's beginning.
 */

/**
 * Where a place of the report stands in the editor.
 *
 * @param {import('@codemirror/state').Text} doc the document
 * @param {{ line: number, column: number }} place the place; line 0 is the whole document
 * @returns {number} the offset in UTF-16 units: what is beyond a line is its end, what is beyond the text its end
 */
export function offsetAt(doc, { line, column }) {
  if (line < 1) return 0;
  if (line > doc.lines) return doc.length;
  const { from, text } = doc.line(line);
  let offset = uncounted(doc, line, text);
  for (let left = column - 1; left > 0 && offset < text.length; left -= 1) {
    offset += text.codePointAt(offset) > 0xffff ? 2 : 1;
  }
  return from + offset;
}

/**
 * What the report would call a place of the editor.
 *
 * @param {import('@codemirror/state').Text} doc the document
 * @param {number} offset the offset in UTF-16 units
 * @returns {{ line: number, column: number }} the place
 */
export function placeAt(doc, offset) {
  const { from, number, text } = doc.lineAt(offset);
  const before = text.slice(uncounted(doc, number, text), offset - from);
  return { line: number, column: [...before].length + 1 };
}

/** The byte order marks after a line `---` are no part of its document, so its first column is after them. */
function uncounted(doc, line, text) {
  if (!text.startsWith('\u{feff}')) return 0;
  const isFirst = line === 1 || doc.line(line - 1).text.startsWith('---');
  return isFirst ? /^\u{feff}*/u.exec(text)[0].length : 0;
}
