/** The walk through the rules behind each verdict, asked for when somebody opens it. */

import { h, quiet } from './dom.js';
import { marked } from './icons.js';
import { withKeys } from './keyed.js';
import { podKey } from './pods.js';
import { visible } from './text.js';

/** The disclosures of all Pods. One question answers all that are open. */
export class Walks {
  #why;
  #parts;
  #open = new Set();
  #answer;

  /**
   * @param {() => Promise<object>} why the report with its walks
   * @param {import('./parts.js').Parts} parts
   */
  constructor(why, parts) {
    this.#why = why;
    this.#parts = parts;
  }

  /** The disclosure of a Pod. */
  disclosure(key) {
    const summary = h('summary', { 'data-control': 'why' }, 'Why');
    const body = h('div', { class: 'report-walk' });
    const details = h('details', { class: 'report-why' }, summary, body);
    const walk = { key, details, body, shown: undefined };
    details.addEventListener('toggle', () => {
      if (!details.open) return this.#open.delete(walk);
      this.#open.add(walk);
      return this.#fill(walk);
    });
    return details;
  }

  /** Says that there is another report: what is open is asked for again. */
  changed() {
    this.#answer = undefined;
    for (const walk of this.#open) {
      if (walk.details.isConnected) this.#fill(walk);
      else this.#open.delete(walk);
    }
  }

  async #fill(walk) {
    const answer = this.#ask();
    if (walk.shown === undefined)
      walk.body.replaceChildren(h('p', { role: 'status' }, 'The walk is being made.'));
    try {
      const walks = await answer;
      if (answer === this.#answer) this.#draw(walk, walks.get(walk.key));
    } catch (error) {
      if (answer !== this.#answer) return;
      this.#answer = undefined;
      walk.shown = undefined;
      walk.body.replaceChildren(h('p', { role: 'alert' }, visible(error.message)));
    }
  }

  #ask() {
    this.#answer ??= Promise.resolve()
      .then(() => this.#why())
      .then((report) => new Map(withKeys(report.pods, podKey).map(([key, pod]) => [key, pod.why ?? []])));
    return this.#answer;
  }

  #draw(walk, steps = []) {
    const text = JSON.stringify(steps);
    if (text === walk.shown) return;
    walk.shown = text;
    if (!steps.length)
      return walk.body.replaceChildren(h('p', {}, quiet('The plan has no walk for this object.')));
    walk.body.replaceChildren(h('ol', {}, ...steps.map((step) => this.#step(step))));
  }

  #step({ rule, outcome, message }) {
    return h(
      'li',
      { class: `report-step report-is-${outcome}` },
      this.#parts.code(rule),
      marked(outcome),
      h('bdi', {}, visible(message)),
    );
  }
}
