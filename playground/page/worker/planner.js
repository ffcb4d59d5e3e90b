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
  let planner = null;
  /** Which documents the last plan had, by their keys: each with its number there. */
  let planned = new Map();

  /** Plans the documents: those that have changed are given anew, and the others named. */
  const plan = (how, options) => {
    planner ??= new module.Planner();
    const before = planned;
    // After an error nothing is known.
    planned = new Map();
    for (const key of order) {
      const { name, bytes, isNew } = documents.get(key);
      if (isNew || !before.has(key)) planner.add(name, bytes);
      else planner.again(before.get(key));
    }
    const text = planner[how](options);
    order.forEach((key, number) => {
      documents.get(key).isNew = false;
      planned.set(key, number);
    });
    return text;
  };

  const methods = {
    begin: (compiled) => void module.initSync({ module: compiled }),
    plan(changed, keys, options) {
      for (const { key, name, bytes } of changed) documents.set(key, { name, bytes, isNew: true });
      const kept = new Set(keys);
      for (const key of documents.keys()) if (!kept.has(key)) documents.delete(key);
      order = keys;
      return plan('changes', options);
    },
    // The documents of the last plan: the report as the program writes it, or with the walks through the rules.
    report: (options) => plan('plan', options),
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
