/** Names that fit where they stand: SVG does not wrap or cut text. */

import { shownName } from '../text.js';

/**
 * A name of at most this width, by how wide its characters are taken to be.
 * @param {string} name
 * @param {number} room
 * @param {number} each the width of a Latin letter
 * @returns {string}
 */
export function fitted(name, room, each) {
  const shown = shownName(name);
  if (widthOf(shown, each) <= room) return shown;
  let left = room - each;
  let text = '';
  for (const character of shown) {
    left -= widthOf(character, each);
    if (left < 0) break;
    text += character;
  }
  return `${text}…`;
}

/** The width of a text, by how wide its characters are taken to be. */
export function widthOf(text, each) {
  let width = 0;
  for (const character of text) width += character.codePointAt(0) < 0x1100 ? each : 2 * each;
  return width;
}
