/** Tables whose rows keep what did not change. In a narrow frame each row stands as a card. */

import { h } from './dom.js';
import { Section } from './section.js';

/**
 * A column: `of` takes from an item all that a cell shows, and `draw` makes the cell of that alone,
 * so that a cell is drawn anew only if that has changed. Both get the row's key too.
 * @typedef {{title: string, class?: string, of(item: unknown): unknown, draw(shown: unknown, key: string): unknown}} Column
 */

/**
 * A section with a table.
 * @param {object} part as of {@link Section}
 * @param {Column[]} columns the first names the row
 * @returns {Section}
 */
export function tableSection({ id, title, key, text }, columns) {
  // The roles are said because cards are no longer tables to every browser.
  const heads = columns.map((column) => h('th', { scope: 'col', role: 'columnheader' }, column.title));
  const rows = h('tbody', { role: 'rowgroup' });
  const head = h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...heads));
  const table = h('table', { role: 'table', 'aria-labelledby': id, class: `report-table ${id}` }, head, rows);
  const frame = h('div', { class: 'report-frame' }, table);
  return new Section({ id, title, frame, rows, key, text, make: (rowKey) => new Row(columns, rowKey) });
}

class Row {
  element = h('tr', { role: 'row', 'data-row': true });
  #cells;

  constructor(columns, key) {
    this.#cells = columns.map((column, index) => new Cell(column, key, index === 0));
    this.element.append(...this.#cells.map((cell) => cell.element));
  }

  update(item) {
    for (const cell of this.#cells) cell.update(item);
  }
}

class Cell {
  #column;
  #key;
  #shown;

  constructor(column, key, first) {
    this.#column = column;
    this.#key = key;
    const attributes = { class: column.class, 'data-label': column.title };
    this.element = first
      ? h('th', { ...attributes, scope: 'row', role: 'rowheader' })
      : h('td', { ...attributes, role: 'cell' });
  }

  update(item) {
    const shown = this.#column.of(item);
    const text = JSON.stringify(shown) ?? '';
    if (text === this.#shown) return;
    this.#shown = text;
    const children = [this.#column.draw(shown, this.#key)].flat(2);
    this.element.replaceChildren(...children.filter((child) => child || child === 0).map(asChild));
  }
}

function asChild(child) {
  return typeof child === 'number' ? String(child) : child;
}
