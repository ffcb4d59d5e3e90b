/** The tabs of the documents, and one for the settings. Arrow keys go along them, Delete closes one. */

import { element, named } from '../dom.js';
import { visible } from '../report/text.js';

/** The list of tabs. */
export class Tabs {
  #host;
  #panel;
  #documents;
  #tabs = new Map();

  /**
   * @param {HTMLElement} host the list
   * @param {HTMLElement} panel what the tabs show
   * @param {import('./documents.js').Documents} documents the documents
   */
  constructor(host, panel, documents) {
    this.#host = host;
    this.#panel = panel;
    this.#documents = documents;
    host.addEventListener('keydown', (event) => this.#pressed(event));
    documents.addEventListener('list', () => this.#draw());
    documents.addEventListener('active', () => this.#draw());
    this.#draw();
  }

  #draw() {
    const { all, active, settings } = this.#documents;
    const hadFocus = this.#host.contains(document.activeElement);
    const kept = new Map();
    for (const doc of all) {
      const tab = this.#tabs.get(doc.key) ?? this.#tab(doc);
      const label = doc === settings ? 'Settings' : visible(doc.name);
      if (tab.textContent !== label) tab.replaceChildren(named(label));
      const isActive = doc === active;
      tab.setAttribute('aria-selected', String(isActive));
      tab.tabIndex = isActive ? 0 : -1;
      kept.set(doc.key, tab);
    }
    const tabs = [...kept.values()];
    const isSame =
      tabs.length === this.#host.children.length && tabs.every((tab, at) => this.#host.children[at] === tab);
    if (!isSame) this.#host.replaceChildren(...tabs);
    this.#tabs = kept;
    const shown = kept.get(active.key);
    this.#panel.setAttribute('aria-labelledby', shown.id);
    if (hadFocus) shown.focus();
    shown.scrollIntoView?.({ block: 'nearest' });
  }

  #tab(doc) {
    return element('button', {
      type: 'button',
      role: 'tab',
      id: `tab-${doc.key}`,
      'aria-controls': this.#panel.id,
      click: () => this.#documents.show(doc),
    });
  }

  #pressed(event) {
    const { all, active } = this.#documents;
    const at = all.indexOf(active);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next !== undefined) this.#documents.show(all.at(next % all.length));
    else if (event.key === 'Delete') this.#documents.close(active);
    else return;
    event.preventDefault();
  }
}
