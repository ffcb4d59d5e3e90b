/** A part of the report: a heading with a count, a list in it, and a button for the rest of a long one. */

import { h } from './dom.js';
import { ofList } from './focus.js';
import { KeyedList, withKeys } from './keyed.js';
import { grouped } from './text.js';

/** How many rows are drawn at first, and how many more each time. */
export const PAGE = 200;

/** What the sections have in common; each says how its rows are keyed, searched and drawn. */
export class Section {
  #heading = h('h3', { class: 'report-heading', tabindex: '-1' });
  #count = h('span', { class: 'report-count' });
  #more = h('button', { type: 'button', class: 'report-more', hidden: true });
  #list;
  #rows;
  #key;
  #text;
  #limit = PAGE;
  #kept = 0;
  #keyed = () => [];
  #context;
  #items;
  #keep;

  /**
   * @param {object} part
   * @param {string} part.id of the heading
   * @param {string} part.title
   * @param {Element} part.frame what stands in the section
   * @param {Element} part.rows the element in the frame whose children are the rows
   * @param {(item: unknown) => unknown[]} part.key what makes an item the same as before
   * @param {(item: unknown) => string[]} part.text what the filter searches
   * @param {(key: string) => {element: Element, update(item: unknown): void}} part.make
   */
  constructor({ id, title, frame, rows, key, text, make }) {
    this.#heading.id = id;
    this.#heading.append(title, ' ', this.#count);
    this.#rows = rows;
    this.#key = key;
    this.#text = text;
    this.#list = new KeyedList(rows, make);
    ofList(rows, this.#list);
    this.#more.addEventListener('click', () => this.#showMore());
    this.element = h('section', { 'aria-labelledby': id, hidden: true }, this.#heading, frame, this.#more);
  }

  /**
   * @param {unknown[]} items
   * @param {(item: unknown, texts: (item: unknown) => string[]) => boolean} [keep] the filter, if there is one
   * @param {string} [context] what all rows depend on besides their items
   * @returns {number} how many the filter keeps
   */
  show(items, keep, context) {
    // The same list, of which all is shown, looks the same.
    if (items === this.#items && !keep && !this.#keep && context === this.#context) return this.#kept;
    this.#items = items;
    this.#keep = keep;
    // Keys count those of the same name from the first item on, so the filter comes after them.
    const keyed = keep && withKeys(items, this.#key).filter(([, item]) => keep(item, this.#text));
    this.#keyed = (limit) => keyed?.slice(0, limit) ?? withKeys(items.slice(0, limit), this.#key);
    this.#kept = keyed?.length ?? items.length;
    this.#context = context;
    setHidden(this.element, items.length === 0);
    setText(this.#count, keep ? `${grouped(this.#kept)} of ${grouped(items.length)}` : grouped(items.length));
    this.#draw();
    return this.#kept;
  }

  #draw() {
    this.#list.show(this.#keyed(this.#limit), this.#context);
    const left = this.#kept - this.#limit;
    setHidden(this.#more, left <= 0);
    if (left > 0) setText(this.#more, `Show ${grouped(Math.min(left, PAGE))} more of ${grouped(left)}`);
  }

  #showMore() {
    const drawn = this.#rows.childElementCount;
    this.#limit += PAGE;
    this.#draw();
    // The first of the new rows is what is read next; the button may be gone.
    const first = this.#rows.children[drawn];
    first?.setAttribute('tabindex', '-1');
    first?.focus({ preventScroll: true });
  }
}

/** Changes a text only if it differs: live regions tell each change. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Hides an element or shows it; even the same value would make the browser look again. */
function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}
