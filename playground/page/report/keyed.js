/** Which rows stay when a list changes. */

/** The texts of keys, by the items that have them: most items stay when a list changes. */
const texts = new WeakMap();

function textOf(item, key) {
  const known = texts.get(item);
  if (known !== undefined) return known;
  const text = JSON.stringify(key(item));
  texts.set(item, text);
  return text;
}

/**
 * The items with a key each. Two of the same name are told apart by which comes first.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => unknown[]} key
 * @returns {Array<[string, T]>}
 */
export function withKeys(items, key) {
  const seen = new Map();
  return items.map((item) => {
    const text = textOf(item, key);
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    return [before ? `${text}#${before}` : text, item];
  });
}

/**
 * Makes the children of an element those of the list, in its order. A row whose item is the same
 * text as before is not touched; one that has changed is asked to change itself.
 */
export class KeyedList {
  #parent;
  #make;
  #rows = new Map();
  #context;

  /**
   * @param {Element} parent whose children are the rows
   * @param {(key: string) => {element: Element, update(item: unknown): void}} make
   */
  constructor(parent, make) {
    this.#parent = parent;
    this.#make = make;
  }

  /** The row of a key, if there is one. */
  row(key) {
    return this.#rows.get(key)?.row;
  }

  /** The key of an element that is a row. */
  keyOf(element) {
    for (const [key, { row }] of this.#rows) if (row.element === element) return key;
    return undefined;
  }

  /**
   * @param {Array<[string, unknown]>} items with their keys
   * @param {string} [context] what all rows depend on besides their items
   * @returns {number} how many rows were made or asked to change
   */
  show(items, context = '') {
    const same = context === this.#context;
    this.#context = context;
    const next = new Map();
    let touched = 0;
    for (const [key, item] of items) {
      const known = this.#rows.get(key) ?? { row: this.#make(key) };
      // Most often it is the very same object.
      const text = same && known.item === item ? known.text : JSON.stringify(item);
      if (!same || known.text !== text) {
        known.row.update(item);
        known.text = text;
        touched += 1;
      }
      known.item = item;
      next.set(key, known);
    }
    for (const [key, { row }] of this.#rows) if (!next.has(key)) row.element.remove();
    this.#rows = next;
    this.#order();
    return touched;
  }

  #order() {
    let at = this.#parent.firstChild;
    for (const { row } of this.#rows.values()) {
      if (row.element === at) at = at.nextSibling;
      else this.#parent.insertBefore(row.element, at);
    }
  }
}
