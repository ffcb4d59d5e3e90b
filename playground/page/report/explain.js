/** The dialog that says what a rule or a code means. */

import { h, quiet } from './dom.js';
import { visible } from './text.js';

/** One dialog for all; the rules that an explanation names are explained in its place. */
export class Explanation {
  #ask;
  #docs;
  #known = new Map();
  #heading = h('h3', { id: 'report-explained', tabindex: '-1' });
  #body = h('div', { class: 'report-explained' });
  #name;

  /**
   * @param {(name: string) => Promise<object>} ask
   * @param {string} docs the documentation's address, for the links
   */
  constructor(ask, docs) {
    this.#ask = ask;
    this.#docs = docs;
    const close = h(
      'button',
      { type: 'button', class: 'report-close', onclick: () => this.element.close() },
      'Close',
    );
    this.element = h(
      'dialog',
      { class: 'report-dialog', 'aria-labelledby': 'report-explained', closedby: 'any' },
      this.#heading,
      this.#body,
      close,
    );
  }

  /** Opens the dialog with the explanation of a rule or code. */
  async open(name) {
    this.#name = name;
    this.#heading.textContent = visible(name);
    this.#body.replaceChildren(h('p', { role: 'status' }, 'The explanation is being fetched.'));
    if (!this.element.open) this.element.showModal();
    this.#heading.focus();
    const children = await this.#explained(name).catch((error) => [
      h('p', { role: 'alert' }, visible(error.message)),
    ]);
    if (this.#name === name) this.#body.replaceChildren(...children);
  }

  async #explained(name) {
    if (!this.#known.has(name)) this.#known.set(name, await this.#ask(name));
    const { says, remedy, rules = [], link } = this.#known.get(name);
    return [
      h('p', {}, visible(says)),
      remedy && h('p', {}, quiet('What to do: '), visible(remedy)),
      rules.length > 0 &&
        h('p', { class: 'report-line' }, quiet('Rules: '), ...rules.map((rule) => this.#rule(rule))),
      link && h('p', {}, this.#link(link)),
    ].filter(Boolean);
  }

  #rule(rule) {
    return h(
      'button',
      { type: 'button', class: 'report-code', onclick: () => this.open(rule) },
      visible(rule),
    );
  }

  #link(link) {
    const href = new URL(link, new URL(this.#docs, document.baseURI)).href;
    return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, 'In the documentation');
  }
}
