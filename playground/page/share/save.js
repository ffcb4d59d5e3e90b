/** Gives the person a file. */

import { element } from '../dom.js';

/**
 * Saves bytes or a text as a file.
 *
 * @param {string} name its name; of a path, the last part
 * @param {Uint8Array | string} content what is in it
 */
export function save(name, content) {
  const url = URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' }));
  element('a', { href: url, download: name.split('/').at(-1) || 'document' }).click();
  // Not every browser has read it by now.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
