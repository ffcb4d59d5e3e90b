/** The menu of examples: chosen, one takes the place of the documents, which can be brought back. */

import loadExamples from 'virtual:examples';
import { element } from '../dom.js';
import { notify } from '../notices.js';

/**
 * The menu. The examples are fetched when it is first used.
 *
 * @param {(example: object) => () => void} open shows an example, and returns what brings back what was there
 * @returns {HTMLElement} the menu, with its label
 */
export function examplesMenu(open) {
  const menu = element('select', { id: 'examples' }, element('option', { value: '' }, 'Choose an example'));
  let loading = null;
  let all = [];
  const load = () => {
    loading ??= loadExamples()
      .then((found) => {
        all = found;
        menu.append(...groups(found));
      })
      .catch((error) => {
        loading = null;
        notify('examples', `The examples cannot be fetched (${error.message}); try again.`);
      });
    return loading;
  };
  for (const event of ['pointerenter', 'focus']) menu.addEventListener(event, load);
  menu.addEventListener('change', () => {
    const example = all[Number(menu.value)];
    if (menu.value === '' || !example) return;
    const back = open(example);
    notify('example', `The example “${example.name}” took the place of your documents.`, {
      'Bring mine back': back,
    });
    menu.value = '';
  });
  return element('label', { class: 'examples' }, 'Examples ', menu);
}

function groups(examples) {
  const numbered = examples.map((example, index) => ({ ...example, index }));
  return [...Map.groupBy(numbered, ({ group }) => group)].map(([label, some]) =>
    element(
      'optgroup',
      { label },
      ...some.map(({ name, index }) => element('option', { value: index }, name)),
    ),
  );
}
