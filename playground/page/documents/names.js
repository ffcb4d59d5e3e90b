/** The names of documents: the report calls a place by them, so that no two are the same. */

/**
 * A name that is free: the one that is wished, or that with a number before its ending.
 *
 * @param {string} wished the name that is wished
 * @param {Set<string>} taken the names that are taken
 * @returns {string} a name that is free
 */
export function freeName(wished, taken) {
  const [, stem, ending] = /^(.*?)(\.[^./]*)?$/su.exec(wished);
  let name = wished;
  for (let number = 2; taken.has(name); number += 1) name = `${stem}-${number}${ending ?? ''}`;
  return name;
}
