/** Forgetting: what the browser keeps of this page is removed, once somebody has said so twice. */

import { button, element } from '../dom.js';
import { say } from '../notices.js';
import { forgetOffline } from '../offline/register.js';

/**
 * Asks whether all is to be forgotten.
 *
 * @param {() => void} forget forgets the documents, and what is kept of them
 */
export function askToForget(forget) {
  const yes = async () => {
    dialog.close();
    forget();
    await forgetOffline();
    say('All is forgotten.');
  };
  const dialog = element(
    'dialog',
    { 'aria-labelledby': 'forget-heading', close: () => dialog.remove() },
    element('h2', { id: 'forget-heading' }, 'Forget everything?'),
    element(
      'p',
      {},
      'The documents and the settings are removed from this page and from the browser’s storage, and so is the ' +
        'copy of the page that works without a network. This cannot be undone.',
    ),
    element(
      'p',
      { class: 'row' },
      button('Forget', yes),
      button('Keep', () => dialog.close(), { autofocus: true }),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}
