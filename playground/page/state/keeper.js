/** Keeps what is typed in the browser, masked, shortly after it was typed. */

import { listed } from '../documents/names.js';
import { dismiss, notify } from '../notices.js';
import { clear, keep, keptText } from './storage.js';

/** After so many milliseconds without a change. */
const PAUSE = 250;

/** More than this is not kept: browsers give a page about 5 million characters. */
const LIMIT = 2 * 1024 * 1024;

const TOO_MUCH =
  'This is too much to be kept by the browser: it is gone when the page is closed. Save it as files.';

const DROPPED =
  'The browser’s storage is full: the oldest of what “Restore what I had” brings back is gone when the page is closed.';

/** Keeps the state. */
export class Keeper {
  #size;
  #snapshot;
  #timer = null;
  #turn = 0;
  #said = null;
  #isKept = true;
  /** All that is shown, as it is kept; null if some of it is not. */
  #text = keptText();
  /** What the next state that is kept takes the place of, if it is not the same one. */
  #place = null;
  /** Whether there is something to be brought back that is in memory alone. */
  holdsMore = false;

  /**
   * @param {() => number} size how many bytes there are
   * @param {() => Promise<{ snapshot: object, leftOut: string[] }>} snapshot takes the state, masked
   */
  constructor(size, snapshot) {
    this.#size = size;
    this.#snapshot = snapshot;
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.now();
    });
    // The browser asks whether the page may be left with what is not kept yet, or cannot be.
    addEventListener('beforeunload', (event) => {
      if (!this.#isKept || this.holdsMore) event.preventDefault();
    });
  }

  /** Something has changed. */
  changed() {
    this.#isKept = false;
    this.#text = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), PAUSE);
  }

  /**
   * Does not wait for a pause. The state is taken at once, so that another may take its place meanwhile.
   *
   * @returns {Promise<string | null>} the state as it is kept, in JSON; null if not all of it is
   */
  async now() {
    return this.#timer === null ? this.#text : this.#keep();
  }

  /**
   * What is kept is of other documents than those that are shown from now on.
   *
   * @param {import('./storage.js').Place} place what they take the place of
   */
  takesPlace({ isTheirs, without }) {
    const isStillTheirs = this.#place?.isTheirs ?? false;
    // What is shown is what is kept: nothing has taken its place yet.
    if (without !== null && without === keptText()) this.#place = null;
    else this.#place = { isTheirs: isTheirs || isStillTheirs, without };
  }

  /** Forgets all that is kept, and keeps nothing of what was changed before. */
  forget() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#place = null;
    this.#text = null;
    this.#said = null;
    this.#isKept = true;
    this.holdsMore = false;
    clear();
  }

  async #keep() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#turn += 1;
    const turn = this.#turn;
    const place = this.#place;
    if (this.#size() > LIMIT) {
      this.#say(TOO_MUCH);
      return null;
    }
    try {
      const { snapshot, leftOut } = await this.#snapshot();
      if (turn !== this.#turn) return null;
      const text = JSON.stringify(snapshot);
      const { sentence, dropped } = keep(text, place);
      if (dropped > 0) notify('dropped', DROPPED);
      this.#say(sentence ?? withoutWord(leftOut));
      if (sentence !== null) return null;
      if (this.#place === place) this.#place = null;
      const { dataset } = document.documentElement;
      dataset.kept = String(Number(dataset.kept ?? 0) + 1);
      if (leftOut.length > 0) return null;
      // Something may have changed meanwhile.
      if (this.#timer === null) [this.#isKept, this.#text] = [true, text];
      return text;
    } catch (error) {
      this.#say(`What you typed is not kept by the browser, since it cannot be masked: ${error.message}`);
      return null;
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

/** What is no text cannot be masked, and so is kept nowhere. */
function withoutWord(names) {
  if (names.length === 0) return null;
  return `The browser does not keep ${listed(names)}, since it is no text: save it, or it is gone when the page is closed.`;
}
