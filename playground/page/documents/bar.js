/** What can be done with the document that is shown: rename it, save it, close it. */

import { button, byId, element } from '../dom.js';
import { notify } from '../notices.js';
import { save } from '../share/save.js';
import { MOST_DOCUMENTS, NAME_LIMIT } from './names.js';

/**
 * Fills the bar over the editor, and keeps it right.
 *
 * @param {import('./documents.js').Documents} documents the documents
 */
export function documentBar(documents) {
  const name = element('input', {
    id: 'document-name',
    type: 'text',
    autocomplete: 'off',
    spellcheck: 'false',
    dir: 'auto',
    maxlength: NAME_LIMIT,
    change: () => documents.rename(documents.active, name.value.trim()),
  });
  const label = element('label', { class: 'document-name' }, 'Name', name);
  const close = button('Close', () => documents.close(documents.active));
  const reopen = button('Open again', () => documents.reopen());
  const keep = button('Save', () => save(documents.active.name, documents.active.bytes));
  byId('document-bar').append(label, keep, close, reopen);

  const copy = button('Make a copy that can be changed', () => documents.makeText());
  byId('no-text').append(
    'This file is no UTF-8 or UTF-16 text. It is planned by its own bytes, and shown with � for what is none. ',
    copy,
  );

  const draw = () => {
    const { active, settings } = documents;
    name.value = active.name;
    name.disabled = active === settings;
    close.hidden = active === settings;
    reopen.hidden = documents.closed === 0;
    byId('no-text').hidden = active.isText;
  };
  documents.addEventListener('list', draw);
  documents.addEventListener('active', draw);
  documents.addEventListener('close', () => {
    notify('closed', 'The document is closed.', { 'Open it again': () => documents.reopen() });
  });
  documents.addEventListener('full', () => {
    const most = MOST_DOCUMENTS.toLocaleString('en');
    notify(
      'files',
      `Nothing is opened: the page takes ${most} documents. Plan more of them with kuma-workload.`,
    );
  });
  draw();
}
