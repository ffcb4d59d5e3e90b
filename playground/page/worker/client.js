/**
 * Talks to the worker. The newest plan wins: while one is being made, only the newest waits. A worker that takes
 * too long, or that cannot go on, is ended, and another one begun.
 */

import { assembled } from './changes.js';

/** A plan was overtaken by a newer one. */
export const OVERTAKEN = Symbol('overtaken');

const GONE =
  'The module stopped while it read this; what you typed is still here. Change it, or take something away';

/** The page's end of the worker. */
export class PlanClient {
  #begin;
  #limit;
  #worker = null;
  #lastId = 0;
  /** What the worker was asked and has not answered, in the order in which it does. */
  #open = new Map();
  #timer = null;
  /** Which version of each document the worker has. */
  #sent = new Map();
  /** The last report: of the next one, the worker tells only what has changed. */
  #report = null;
  #running = false;
  #waiting = null;

  /**
   * @param {() => Promise<{ worker: Worker, module: WebAssembly.Module }>} begin makes a worker, and the compiled
   *   module for it
   * @param {number} limit for how many milliseconds a plan may take
   */
  constructor(begin, limit) {
    this.#begin = begin;
    this.#limit = limit;
  }

  /**
   * Plans documents.
   *
   * @param {Array<{ key: number, version: number, name: string, bytes: Uint8Array }>} documents the documents
   * @param {object} options the plan's options
   * @param {number} [limit] for how many milliseconds it may take
   * @returns {Promise<object | typeof OVERTAKEN>} the report
   */
  plan(documents, options, limit = this.#limit) {
    return new Promise((resolve, reject) => {
      this.#waiting?.resolve(OVERTAKEN);
      this.#waiting = { documents, options, limit, resolve, reject };
      this.#next();
    });
  }

  /**
   * Asks the module something else.
   *
   * @param {string} method the function of the module
   * @param {...unknown} args its arguments
   * @returns {Promise<unknown>} what it returns
   */
  async call(method, ...args) {
    await this.#started();
    return this.#ask(method, args, this.#limit);
  }

  async #next() {
    if (this.#running || !this.#waiting) return;
    this.#running = true;
    let plan = this.#waiting;
    try {
      await this.#started();
      // A newer one may have come while the worker began.
      plan = this.#waiting;
      this.#waiting = null;
      plan.resolve(await this.#plan(plan));
    } catch (error) {
      if (this.#waiting === plan) this.#waiting = null;
      plan.reject(error);
    }
    this.#running = false;
    this.#next();
  }

  async #plan({ documents, options, limit }) {
    const changed = documents.filter(({ key, version }) => this.#sent.get(key) !== version);
    this.#sent = new Map(documents.map(({ key, version }) => [key, version]));
    const args = [
      changed.map(({ key, name, bytes }) => ({ key, name, bytes })),
      documents.map(({ key }) => key),
      JSON.stringify(options),
    ];
    this.#report = assembled(JSON.parse(await this.#ask('plan', args, limit)), this.#report);
    return this.#report;
  }

  async #started() {
    this.#worker ??= this.#start();
    const starting = this.#worker;
    try {
      await starting;
    } catch (error) {
      if (this.#worker === starting) this.#worker = null;
      throw error;
    }
  }

  async #start() {
    const began = performance.now();
    const { worker, module } = await this.#begin();
    worker.addEventListener('message', ({ data }) => this.#answered(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (this.#live !== worker) return;
      this.#stop(`${GONE} (${event.message || 'the worker ended'}).`);
    });
    this.#live = worker;
    await this.#ask('begin', [module], this.#limit);
    // For who measures.
    performance.measure('module ready', { start: began });
  }

  #live = null;

  #ask(method, args, limit) {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const id = this.#lastId;
      this.#open.set(id, { resolve, reject, limit });
      this.#live.postMessage({ id, method, args });
      if (this.#open.size === 1) this.#watch();
    });
  }

  /** The worker does one thing after the other: the time that it takes counts from when it begins with it. */
  #watch() {
    clearTimeout(this.#timer);
    const [first] = this.#open.values();
    if (!first) return;
    const seconds = Math.round(first.limit / 1000);
    const late = `This takes more than ${seconds} seconds, and was ended. Take some of the documents away.`;
    this.#timer = setTimeout(() => this.#stop(late), first.limit);
  }

  #answered({ id, value, error, isFatal }) {
    const asked = this.#open.get(id);
    if (!asked) return;
    if (isFatal) {
      this.#stop(`${GONE} (${error}).`);
      return;
    }
    this.#open.delete(id);
    this.#watch();
    if (error === undefined) asked.resolve(value);
    else asked.reject(new Error(error));
  }

  /** All that is open has failed; the next question begins another worker. */
  #stop(sentence) {
    this.#live?.terminate();
    this.#live = null;
    this.#worker = null;
    this.#sent.clear();
    this.#report = null;
    for (const { reject } of this.#open.values()) reject(new Error(sentence));
    this.#open.clear();
    this.#watch();
  }
}
