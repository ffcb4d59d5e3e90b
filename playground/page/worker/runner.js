/** When a plan is made: at each change, or when somebody says so, where there is much to plan. */

import { OVERTAKEN } from './client.js';

/** Above so many bytes, it is asked before it is planned. */
export const ASK_ABOVE = 1024 * 1024;

/** For how many milliseconds a plan may take that nobody asked for, and one that somebody did. */
export const LIMIT = 10_000;
const LIMIT_ASKED = 120_000;

/** Keys that are pressed within so many milliseconds make one plan. */
const PAUSE = 50;

/** Makes plans as the documents change. Tells what it does: planning, ready, asking or failed. */
export class Runner {
  #client;
  #input;
  #tell;
  #timer = null;
  #turn = 0;

  /**
   * @param {import('./client.js').PlanClient} client plans
   * @param {() => { documents: object[], size: number, options: object }} input what there is to plan
   * @param {(state: string, found: { report?: object, error?: Error, size?: number }) => void} tell is told
   */
  constructor(client, input, tell) {
    this.#client = client;
    this.#input = input;
    this.#tell = tell;
  }

  /** Something has changed. */
  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#plan(), PAUSE);
  }

  /** Plans, however much there is. */
  now() {
    clearTimeout(this.#timer);
    this.#plan(true);
  }

  async #plan(isAsked = false) {
    const { documents, size, options } = this.#input();
    this.#turn += 1;
    const turn = this.#turn;
    if (size > ASK_ABOVE && !isAsked) {
      this.#tell('asking', { size });
      return;
    }
    this.#tell('planning', {});
    try {
      const report = await this.#client.plan(documents, options, isAsked ? LIMIT_ASKED : LIMIT);
      // A newer change has been told of, or will be.
      if (report !== OVERTAKEN && turn === this.#turn) this.#tell('ready', { report });
    } catch (error) {
      if (turn === this.#turn) this.#tell('failed', { error });
    }
  }
}
