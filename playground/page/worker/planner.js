/** What the worker does: it keeps the documents, and asks the module about them. */

/**
 * Answers the page's messages, one after the other.
 *
 * @param {object} module what JavaScript imports of the module: initSync, Planner, explain, mask, …
 * @returns {(message: object) => object} from a message to its answer
 */
export function answering(module) {
  const documents = new Map();
  let order = [];
  let planner;
  const planned = (options) => {
    planner ??= new module.Planner();
    for (const key of order) {
      const { name, bytes } = documents.get(key);
      planner.add(name, bytes);
    }
    return planner.plan(options);
  };
  const methods = {
    begin: (compiled) => void module.initSync({ module: compiled }),
    plan(changed, keys, options) {
      for (const { key, name, bytes } of changed) documents.set(key, { name, bytes });
      const kept = new Set(keys);
      for (const key of documents.keys()) if (!kept.has(key)) documents.delete(key);
      order = keys;
      return planned(options);
    },
    // The documents of the last plan, with the walk through the rules.
    why: (options) => planned(options),
  };
  return ({ id, method, args }) => {
    try {
      return { id, value: (methods[method] ?? module[method])(...args) };
    } catch (error) {
      return { id, error: error.message, isFatal: !isSentence(error) };
    }
  };
}

/** The module throws plain errors whose messages are sentences. After any other it cannot go on. */
function isSentence(error) {
  return error.constructor === Error;
}
