/**
 * With what the page begins: a link, or what was kept, or an example. Nothing is lost to a link, to a file or to an
 * example: what they take the place of is held here in whole, and by the browser as far as it keeps it.
 */

import { button } from '../dom.js';
import { dismiss, dismissAll, notify } from '../notices.js';
import { fromFragment } from './link.js';
import { check } from './snapshot.js';
import { asides, keptText, MOST, parsed } from './storage.js';

const RESTORE = 'Restore what I had';

const MASKED = 'values of Secrets and of environment variables are masked';

/**
 * What something else took the place of.
 *
 * @typedef {object} Before
 * @property {object} [whole] the documents and the options themselves, if they are of this page
 * @property {string | null} text the same as the browser keeps it, in JSON; null if it does not keep it in whole
 */

/** Opens states of the page, and what they took the place of. */
export class Restorer {
  #documents;
  #options;
  #keeper;
  /** What can be brought back, the newest last. @type {Before[]} */
  #others = [];
  /** Whether somebody would miss what is shown. */
  #isTheirs = false;
  #isFilling = false;

  /**
   * @param {import('../documents/documents.js').Documents} documents the documents
   * @param {import('../settings/options.js').OptionsForm} options the options
   * @param {import('./keeper.js').Keeper} keeper what keeps them
   */
  constructor(documents, options, keeper) {
    this.#documents = documents;
    this.#options = options;
    this.#keeper = keeper;
    this.button = button(RESTORE, () => this.#restore(this.#others.at(-1)), { hidden: true });
    addEventListener('hashchange', () => this.#follow().catch((error) => notify('link', error.message)));
  }

  /**
   * Begins with the link, or what was kept, or this example.
   *
   * @param {object} starter the example
   */
  async begin(starter) {
    this.#others = asides()
      .filter((text) => stateOf(text) !== null)
      .map((text) => ({ text }));
    const kept = stateOf(keptText());
    this.#fill(kept ?? starter);
    this.#isTheirs = kept !== null;
    this.#showButton();
    await this.#follow(kept);
  }

  /**
   * Opens a state.
   *
   * @param {object} state the documents, the settings' text and the options
   * @returns {() => void} brings back what was there
   */
  open(state) {
    const { before } = this.#take(state);
    this.#isShown();
    return () => this.#restore(before);
  }

  /** Somebody has changed something: it is kept, and the address does not say any more what is here. */
  changed() {
    if (this.#isFilling) return;
    this.#isTheirs = true;
    this.#isShown();
  }

  /** Forgets all. */
  forget() {
    this.#fill({ documents: [{ name: 'pods.yaml', text: '' }] });
    this.#others = [];
    this.#isTheirs = false;
    this.#isShown();
    this.#keeper.forget();
    this.#showButton();
    // Some of them would bring back what is forgotten.
    dismissAll();
  }

  #isShown() {
    if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
    this.#keeper.changed();
  }

  #fill({ documents, settings = '', options = {}, active = 0 }) {
    return this.#filling(() => {
      this.#options.values = options;
      return this.#documents.replace(documents, settings, active);
    });
  }

  /** What is filled in is no change that somebody made. */
  #filling(fill) {
    this.#isFilling = true;
    try {
      return fill();
    } finally {
      this.#isFilling = false;
    }
  }

  /**
   * Puts something in the place of what is shown, which can be brought back.
   *
   * @param {() => object} fill puts it there, and returns the documents that were
   * @returns {{ before: Before, kept: Promise<void> }} what was shown; it is kept meanwhile
   */
  #replace(fill) {
    const options = this.#options.values;
    const keeping = this.#keeper.now();
    const before = { whole: { documents: fill(), options }, text: null };
    const kept = keeping.then((text) => {
      before.text = text;
      this.#showButton();
    });
    return { before, kept };
  }

  /** Puts a state there. */
  #take(state) {
    const { before, kept } = this.#replace(() => this.#fill(state));
    if (this.#isTheirs) {
      this.#others = [...this.#others, before].slice(-MOST);
      this.#keeper.takesPlace({ isTheirs: true, without: null });
    }
    this.#isTheirs = false;
    this.#showButton();
    return { before, kept };
  }

  /**
   * Opens what the address holds.
   *
   * @param {object | null} [shown] what the page began with, which the link may hold too
   */
  async #follow(shown = null) {
    const found = await fromFragment(location.hash);
    if (found === null) return;
    const state = check(found);
    if (shown !== null && JSON.stringify(shown) === JSON.stringify(state)) return;
    const { before, kept } = this.#take(state);
    if (!this.#others.includes(before)) return;
    await kept;
    // It may have been brought back by now.
    if (this.#others.includes(before))
      notify('link', tookPlace(before), { [RESTORE]: () => this.#restore(before) });
  }

  /** Brings something back. What is shown takes its place among what can be brought back, so that nothing is lost. */
  #restore(before) {
    const { whole, text } = before;
    const { before: shown } = this.#replace(() => (whole ? this.#putBack(whole) : this.#fill(stateOf(text))));
    const rest = this.#others.filter((other) => other !== before);
    this.#others = this.#isTheirs ? [shown, ...rest] : rest;
    this.#keeper.takesPlace({ isTheirs: this.#isTheirs, without: text });
    this.#isTheirs = true;
    this.#isShown();
    this.#showButton();
    for (const kind of ['link', 'state', 'example']) dismiss(kind);
    if (!whole && isMasked(text))
      notify('restored', `What you had is back as the browser kept it: ${MASKED}.`);
  }

  #putBack({ documents, options }) {
    return this.#filling(() => {
      this.#options.values = options;
      return this.#documents.putBack(documents);
    });
  }

  #showButton() {
    this.button.hidden = this.#others.length === 0;
    this.#keeper.holdsMore = this.#others.some(({ text }) => text === null);
  }
}

/** A state that was kept; null if there is none, or none that can be read. */
function stateOf(text) {
  try {
    return check(parsed(text));
  } catch {
    return null;
  }
}

function isMasked(text) {
  return text.includes('***');
}

function tookPlace({ text }) {
  const sentence = 'A link took the place of your documents';
  if (text === null)
    return `${sentence}. Not all of them are kept by the browser: they are gone when the page is closed.`;
  return `${sentence}, which are kept.${isMasked(text) ? ` Once the page is loaded anew, ${MASKED}.` : ''}`;
}
