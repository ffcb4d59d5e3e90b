/** The filter over everything that is listed. */

import { h } from './dom.js';
import { reaches, severityOf } from './severity.js';

const LEAST = [
  ['', 'all'],
  ['error', 'errors'],
  ['warning', 'errors and warnings'],
];

/** A field and a choice; `keep` is what they ask for. */
export class Filter {
  #text = h('input', { type: 'search', id: 'report-filter', autocomplete: 'off', spellcheck: 'false' });
  #least = h(
    'select',
    { id: 'report-least' },
    ...LEAST.map(([value, label]) => h('option', { value }, label)),
  );

  /** @param {() => void} changed */
  constructor(changed) {
    this.#text.addEventListener('input', changed);
    this.#least.addEventListener('change', changed);
    this.element = h(
      'div',
      { class: 'report-filter', role: 'search', 'aria-label': 'Filter the plan' },
      h('label', { for: 'report-filter' }, 'Filter by name'),
      this.#text,
      h('label', { for: 'report-least' }, 'Findings and Pods'),
      this.#least,
    );
  }

  /** What to keep by names; nothing, if everything is kept. */
  get byText() {
    const wanted = this.#text.value.trim().toLowerCase();
    if (!wanted) return undefined;
    return (item, texts) => texts(item).some((text) => text?.toLowerCase().includes(wanted));
  }

  /** What to keep by names and severity. */
  get bySeverity() {
    const least = this.#least.value;
    const byText = this.byText;
    if (!least) return byText;
    return (item, texts) => reaches(severityOf(item), least) && (!byText || byText(item, texts));
  }
}
