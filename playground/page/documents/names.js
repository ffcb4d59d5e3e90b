/** The names of documents: the report calls a place by them, so that no two are the same. */

import { visible } from '../report/text.js';

/** So many documents can be open: each is a tab, and each is in what is kept. */
export const MOST_DOCUMENTS = 1_000;

/** The longest name, in UTF-16 units: as long as that of a Kubernetes object. */
export const NAME_LIMIT = 253;

/** So long may a name be that gets a number. */
const STEM_LIMIT = 240;

/**
 * What is wrong with a name.
 *
 * @param {string} name the name
 * @returns {string | null} the end of a sentence that begins with what has the name; null if nothing is wrong
 */
export function wrongName(name) {
  if (name.length > NAME_LIMIT) return `has a name of more than ${NAME_LIMIT} characters`;
  if (/[\r\n\u{85}\u{2028}\u{2029}]/u.test(name)) return 'has a name with a line end';
  return /[^\s\u{fffd}]/u.test(visible(name)) ? null : 'has a name that cannot be seen';
}

/**
 * A name that a document can have, made of one that a file has: of a path that is too long, its end.
 *
 * @param {string} name the name
 * @returns {string} the name, without line ends
 */
export function tidyName(name) {
  const line = name.replace(/[\r\n\u{85}\u{2028}\u{2029}]/gu, '\u{fffd}');
  const short = line.length > STEM_LIMIT ? line.slice(-STEM_LIMIT).toWellFormed() : line;
  return wrongName(short) === null ? short : 'document.yaml';
}

/** Gives names that are free. For many documents of the same name, it goes on counting where it was. */
export class Names {
  #taken;
  #next = new Map();

  /** @param {Iterable<string>} taken the names that are taken */
  constructor(taken) {
    this.#taken = new Set(taken);
  }

  /**
   * Takes a name that is free: the one that is wished, or that with a number before its ending.
   *
   * @param {string} wished the name that is wished
   * @returns {string} the name, which is taken from now on
   */
  take(wished) {
    const [, stem, ending = ''] = /^(.*?)(\.[^./]*)?$/su.exec(wished);
    let name = wished;
    let number = this.#next.get(wished) ?? 2;
    for (; this.#taken.has(name); number += 1) name = `${stem}-${number}${ending}`;
    this.#next.set(wished, number);
    this.#taken.add(name);
    return name;
  }
}

/** So many names are said in a sentence. */
const SAID = 3;

/**
 * Names in a sentence.
 *
 * @param {string[]} names the names
 * @returns {string} the first of them, and how many more there are
 */
export function listed(names) {
  const more = names.length - SAID;
  const said = names.slice(0, SAID).map(visible).join(', ');
  return more > 0 ? `${said} and ${more.toLocaleString('en')} more` : said;
}
