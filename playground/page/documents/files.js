/** Opening files: by a button, and by dropping them on the page. */

import { button, element } from '../dom.js';
import { notify } from '../notices.js';
import { STATE_KEY } from '../share/actions.js';
import { check } from '../state/snapshot.js';
import { readDropped, readFiles } from './open.js';

/**
 * What opens files.
 *
 * @param {import('./documents.js').Documents} documents the documents
 * @param {(state: object) => () => void} openState opens a state of the page that was saved as a file
 * @returns {HTMLElement[]} the button, and the input behind it
 */
export function filesInto(documents, openState) {
  const open = async (reading) => {
    try {
      const files = await reading;
      const state = stateOf(files);
      if (state)
        notify('state', 'The file took the place of your documents.', {
          'Bring mine back': openState(state),
        });
      else if (files.length > 0) documents.add(files);
      else notify('files', 'No manifest is there: of folders, files .yaml, .yml and .json are opened.');
    } catch (error) {
      notify('files', `Nothing is opened: ${error.message}`);
    }
  };
  const input = element('input', {
    type: 'file',
    multiple: true,
    hidden: true,
    'aria-label': 'Files to open',
    change: () => {
      open(readFiles(input.files)).finally(() => {
        input.value = '';
      });
    },
  });
  acceptDrops(open);
  return [button('Open files', () => input.click()), input];
}

function acceptDrops(open) {
  const holdsFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
  const show = (isOver) => document.body.classList.toggle('dropping', isOver);
  // In the capturing phase, before the editor takes the text of a file for its own.
  const listen = (type, act) =>
    addEventListener(
      type,
      (event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        event.stopPropagation();
        act(event);
      },
      { capture: true },
    );
  listen('dragenter', () => show(true));
  listen('dragover', () => show(true));
  listen('dragleave', ({ relatedTarget }) => show(relatedTarget !== null));
  listen('drop', ({ dataTransfer }) => {
    show(false);
    open(readDropped(dataTransfer));
  });
}

/** A state of the page, if that is what was opened; one that is broken is refused with a sentence. */
function stateOf(files) {
  if (files.length !== 1 || !files[0].name.endsWith('.json')) return null;
  let found;
  try {
    found = JSON.parse(new TextDecoder().decode(files[0].bytes));
  } catch {
    return null;
  }
  return found?.[STATE_KEY] === 1 ? check(found) : null;
}
