/** Puts a text where it can be pasted. */

import { button, element } from '../dom.js';
import { say } from '../notices.js';

/**
 * Copies a text. Where the browser does not let the page, the text is shown to be copied by hand.
 *
 * @param {string} text the text
 * @param {string} what what was copied, for the message
 */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} is copied.`);
  } catch {
    show(text, what);
  }
}

function show(text, what) {
  const field = element('textarea', { readonly: true, rows: 8, 'aria-label': what });
  field.value = text;
  const dialog = element(
    'dialog',
    { 'aria-label': what, close: () => dialog.remove() },
    element('p', {}, `The browser lets this page copy nothing. ${what} is to be copied from here.`),
    field,
    element(
      'p',
      {},
      button('Close', () => dialog.close()),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  field.select();
}
