/** Keeps what is typed in the browser, masked, shortly after it was typed. */

import { dismiss, notify } from '../notices.js';
import { clear, keep, putAside } from './storage.js';

/** After so many milliseconds without a change. */
const PAUSE = 250;

/** More than this is not kept: browsers give a page about 5 million characters. */
const LIMIT = 2 * 1024 * 1024;

const TOO_MUCH =
  'This is too much to be kept by the browser: it is gone when the page is closed. Save it as files.';

/** Keeps the state. */
export class Keeper {
  #size;
  #snapshot;
  #timer = null;
  #turn = 0;
  #said = null;
  #isKept = true;
  /** What is kept is not of these documents, but what a link took the place of. */
  isLinks = false;

  /**
   * @param {() => number} size how many bytes there are
   * @param {() => Promise<{ snapshot: object }>} snapshot takes the state, masked
   */
  constructor(size, snapshot) {
    this.#size = size;
    this.#snapshot = snapshot;
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.now();
    });
    // The browser asks whether the page may be left with what is not kept yet, or cannot be.
    addEventListener('beforeunload', (event) => {
      if (!this.#isKept) event.preventDefault();
    });
  }

  /** Something has changed. */
  changed() {
    this.#isKept = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), PAUSE);
  }

  /** Does not wait for a pause. */
  async now() {
    if (this.#timer !== null) await this.#keep();
  }

  /** Forgets all that is kept, and keeps nothing of what was changed before. */
  forget() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.isLinks = false;
    this.#isKept = true;
    clear();
  }

  async #keep() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#turn += 1;
    const turn = this.#turn;
    if (this.#size() > LIMIT) {
      this.#say(TOO_MUCH);
      return;
    }
    try {
      const { snapshot } = await this.#snapshot();
      if (turn !== this.#turn) return;
      if (this.isLinks) putAside();
      this.isLinks = false;
      const sentence = keep(snapshot);
      this.#say(sentence);
      if (sentence !== null) return;
      // Something may have changed meanwhile.
      this.#isKept = this.#timer === null;
      const { dataset } = document.documentElement;
      dataset.kept = String(Number(dataset.kept ?? 0) + 1);
    } catch (error) {
      this.#say(`What you typed is not kept by the browser, since it cannot be masked: ${error.message}`);
    }
  }

  /** Each sentence once, as long as it is true. */
  #say(sentence) {
    if (sentence === this.#said) return;
    this.#said = sentence;
    if (sentence) notify('storage', sentence);
    else dismiss('storage');
  }
}
