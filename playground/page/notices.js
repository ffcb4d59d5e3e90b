/** The messages of the page itself: a bar of sentences, each with what can be done about it. */

import { button, byId, element } from './dom.js';

const shown = new Map();

/**
 * Shows a sentence until it is dismissed. One of the same kind takes the place of the one before.
 *
 * @param {string} kind what it is about
 * @param {string} sentence the sentence
 * @param {Record<string, () => unknown>} [actions] what can be done, by the label of its button
 */
export function notify(kind, sentence, actions = {}) {
  dismiss(kind);
  const buttons = Object.entries(actions).map(([label, act]) =>
    button(label, () => {
      dismiss(kind);
      act();
    }),
  );
  const notice = element(
    'div',
    { class: 'notice', 'data-kind': kind },
    element('p', {}, sentence),
    ...buttons,
    button('Dismiss', () => dismiss(kind)),
  );
  shown.set(kind, notice);
  byId('notices').append(notice);
}

/**
 * Takes the sentence of this kind away.
 *
 * @param {string} kind what it is about
 */
export function dismiss(kind) {
  shown.get(kind)?.remove();
  shown.delete(kind);
}

/** Takes all sentences away, and with them what they can do. */
export function dismissAll() {
  for (const kind of [...shown.keys()]) dismiss(kind);
}

/**
 * Says something that passes, such as that something was copied. It is read aloud, and stays until the next.
 *
 * @param {string} sentence the sentence
 */
export function say(sentence) {
  byId('said').textContent = sentence;
}

/** Shows what goes wrong in the page itself as one sentence. */
export function showErrors() {
  const show = (error) => {
    const what = error instanceof Error ? error.message : String(error);
    notify('error', `The page made a mistake (${what}); what you typed is still here, and can be saved.`);
  };
  // What has no error is no mistake: a ResizeObserver says so that it goes on in the next frame.
  addEventListener('error', ({ error }) => error && show(error));
  addEventListener('unhandledrejection', (event) => show(event.reason));
}
