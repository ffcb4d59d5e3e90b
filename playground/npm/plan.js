// What the package exports, over what wasm-bindgen made.
import * as wasm from './kuma_workload_plan.js';

export { version } from './kuma_workload_plan.js';

const encoder = new TextEncoder();
const textOf = (options) => (typeof options === 'string' ? options : JSON.stringify(options ?? {}));

/** The name and bytes of a document. What is none is said at once: the module would take it for an empty one. */
function read(document) {
  const { name, bytes } = document ?? {};
  if (typeof name !== 'string') {
    throw new TypeError('a document needs a name, which is a string');
  }
  if (typeof bytes === 'string') {
    return [name, encoder.encode(bytes)];
  }
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`document ${JSON.stringify(name)} needs bytes: a Uint8Array or a string`);
  }
  return [name, bytes];
}

// It keeps what it read, so that a plan of the same documents, one of them changed, reads that one alone.
let planner;

/** Begins anew after an error that the module did not foresee: what it holds then is worth nothing any more. */
function guarded(call) {
  try {
    return call();
  } catch (error) {
    // Of a stack that is used up, V8 makes a RangeError.
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      planner = undefined;
      throw new Error('the documents cannot be planned: they need more memory or stack than there is', {
        cause: error,
      });
    }
    throw error;
  }
}

export function plan(documents, options) {
  return guarded(() => {
    const all = Array.from(documents, read);
    planner ??= new wasm.Planner();
    for (const [name, bytes] of all) {
      planner.add(name, bytes);
    }
    return planner.plan(textOf(options));
  });
}

export function report(documents, options) {
  return JSON.parse(plan(documents, options));
}

export function mask(text) {
  if (typeof text !== 'string') {
    throw new TypeError('what is masked is the text of a document, a string');
  }
  return guarded(() => wasm.mask(text));
}

export function explain(name) {
  return JSON.parse(wasm.explain(name));
}

export function request(document, object, options) {
  const [name, bytes] = read(document);
  return guarded(() => JSON.parse(wasm.request(name, bytes, JSON.stringify(object), textOf(options))));
}
