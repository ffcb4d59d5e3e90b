/** With what the page begins: a link, or what was kept, or an example. Nothing is lost to a link or an example. */

import { button } from '../dom.js';
import { notify } from '../notices.js';
import { fromFragment } from './link.js';
import { check } from './snapshot.js';
import { asides, kept, takeBack } from './storage.js';

/** Opens states of the page, and what they took the place of. */
export class Restorer {
  #documents;
  #options;
  #keeper;

  /**
   * @param {import('../documents/documents.js').Documents} documents the documents
   * @param {import('../settings/options.js').OptionsForm} options the options
   * @param {import('./keeper.js').Keeper} keeper what keeps them
   */
  constructor(documents, options, keeper) {
    this.#documents = documents;
    this.#options = options;
    this.#keeper = keeper;
    /** Brings back what was kept before a link was opened. */
    this.button = button('Restore what I had', () => this.#restore(), { hidden: true });
    addEventListener('hashchange', () => this.#follow().catch((error) => notify('link', error.message)));
  }

  /**
   * Begins with the link, or what was kept, or this example.
   *
   * @param {object} starter the example
   */
  async begin(starter) {
    this.#showButton();
    const before = checked(kept());
    this.#fill(before ?? starter);
    await this.#follow();
  }

  /**
   * Opens a state.
   *
   * @param {object} state the documents, the settings' text and the options
   * @returns {() => void} brings back what was there
   */
  open(state) {
    const options = this.#options.values;
    const before = this.#fill(state);
    this.changed();
    return () => {
      this.#options.values = options;
      this.#documents.putBack(before);
    };
  }

  /** Something was changed: it is kept, and the address does not say any more what is here. */
  changed() {
    if (this.#isFilling) return;
    if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
    this.#keeper.changed();
  }

  /** Forgets all. */
  forget() {
    this.#isFilling = true;
    this.#documents.replace([{ name: 'pods.yaml', text: '' }], '');
    this.#options.values = {};
    this.#isFilling = false;
    this.changed();
    this.#keeper.forget();
    this.#showButton();
  }

  #isFilling = false;

  #fill({ documents, settings = '', options = {}, active = 0 }) {
    this.#isFilling = true;
    this.#options.values = options;
    const before = this.#documents.replace(documents, settings, active);
    this.#isFilling = false;
    return before;
  }

  /** Opens what the address holds. */
  async #follow() {
    const found = await fromFragment(location.hash);
    if (found === null) return;
    const state = check(found);
    await this.#keeper.now();
    const before = kept();
    this.#fill(state);
    if (before === null || JSON.stringify(checked(before)) === JSON.stringify(state)) return;
    this.#keeper.isLinks = true;
    this.#showButton();
    notify('link', 'A link took the place of your documents, which are kept.', {
      'Restore what I had': () => this.#restore(),
    });
  }

  #restore() {
    const state = checked(this.#keeper.isLinks ? kept() : takeBack());
    this.#keeper.isLinks = false;
    if (state) this.open(state);
    this.#showButton();
  }

  #showButton() {
    this.button.hidden = !this.#keeper.isLinks && asides().length === 0;
  }
}

/** A state that was kept; null if there is none, or none that can be read. */
function checked(found) {
  try {
    return found === null ? null : check(found);
  } catch {
    return null;
  }
}
