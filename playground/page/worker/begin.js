/** Begins a worker: from a blob, so that the page's policy binds it too, and it can ask nobody anything. */

import { compile } from 'virtual:compiled';
import source from 'virtual:worker';
import { scriptUrl } from '../trusted.js';

let compiled = null;

/**
 * Begins a worker. The module is compiled once.
 *
 * @returns {Promise<{ worker: Worker, module: WebAssembly.Module }>} the worker, and the module for it
 */
export async function begin() {
  compiled ??= compile();
  // It begins while the module is still on its way.
  const worker = new Worker(scriptUrl(source));
  try {
    return { worker, module: await compiled };
  } catch (error) {
    worker.terminate();
    compiled = null;
    throw new Error(`The module cannot be loaded (${error.message}); reload the page.`);
  }
}
