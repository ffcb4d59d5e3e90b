/** What is happening to the plan, in one line, and for tests in the attributes of the page. */

import { button, byId } from './dom.js';

/** A plan that takes longer than so many milliseconds is told of. */
const PATIENCE = 400;

/** The line over the plan. */
export class StatusLine {
  #timer = null;

  /** @param {() => void} plan plans what it was asked about */
  constructor(plan) {
    byId('ask').append(button('Plan', plan, { id: 'plan-now' }));
  }

  /**
   * @param {string} state what the runner tells
   * @param {{ error?: Error, size?: number }} found what it found
   */
  show(state, { error, size }) {
    const root = document.documentElement;
    clearTimeout(this.#timer);
    if (state === 'planning') this.#timer = setTimeout(() => this.#say('The plan is being made.'), PATIENCE);
    else if (state === 'failed') this.#say(error.message);
    else if (state === 'asking')
      this.#say(`These documents have ${kilobytes(size)} KB; planning them may take a while.`);
    else this.#say('');
    byId('ask').hidden = state !== 'asking';
    byId('report').setAttribute('aria-busy', String(state === 'planning'));
    if (state === 'ready') root.dataset.plan = String(Number(root.dataset.plan) + 1);
    root.dataset.state = state;
  }

  #say(sentence) {
    const line = byId('status');
    if (line.textContent !== sentence) line.textContent = sentence;
  }
}

function kilobytes(size) {
  return Math.ceil(size / 1024).toLocaleString('en');
}
