// What the package exports, over what wasm-bindgen made.
import * as wasm from './kuma_workload_plan.js';

export { mask, version } from './kuma_workload_plan.js';

const encoder = new TextEncoder();
const bytesOf = (content) => (typeof content === 'string' ? encoder.encode(content) : content);
const textOf = (options) => (typeof options === 'string' ? options : JSON.stringify(options ?? {}));

// It keeps what it read, so that a plan of the same documents, one of them changed, reads that one alone.
let planner;

/** Begins anew after an error that the module did not foresee: what it holds then is worth nothing any more. */
function guarded(call) {
  try {
    return call();
  } catch (error) {
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
    planner ??= new wasm.Planner();
    for (const { name, bytes } of documents) {
      planner.add(name, bytesOf(bytes));
    }
    return planner.plan(textOf(options));
  });
}

export function report(documents, options) {
  return JSON.parse(plan(documents, options));
}

export function explain(name) {
  return JSON.parse(wasm.explain(name));
}

export function request(document, object, options) {
  const { name, bytes } = document;
  return guarded(() =>
    JSON.parse(wasm.request(name, bytesOf(bytes), JSON.stringify(object), textOf(options))),
  );
}
