/** Tables whose rows keep what did not change. In a narrow frame each row stands as a card. */

import { h } from './dom.js';
import { Section } from './section.js';

/**
 * A column: `of` takes from an item all that a cell shows, and `draw` makes the cell of that alone,
 * so that a cell is drawn anew only if that has changed. What `keep` makes stays in the cell as long as
 * the row does.
 * @typedef {{title: string, class?: string, of(item: unknown): unknown, draw(shown: unknown): unknown,
 *   keep?: (key: string) => Element}} Column
 */

/**
 * A section with a table.
 * @param {object} part as of {@link Section}
 * @param {Column[]} columns the first names the row
 * @returns {Section}
 */
export function tableSection({ id, title, key, text }, columns) {
  // The roles are said because cards are no longer tables to every browser.
  const heads = columns.map((column) =>
    h('th', { scope: 'col', role: 'columnheader', class: column.class }, column.title),
  );
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
  #shown;
  #body = h('div');

  constructor(column, key, first) {
    this.#column = column;
    const attributes = { class: column.class, 'data-label': column.title };
    const [tag, roles] = first ? ['th', { scope: 'row', role: 'rowheader' }] : ['td', { role: 'cell' }];
    this.element = h(tag, { ...attributes, ...roles }, this.#body, column.keep?.(key));
  }

  update(item) {
    const shown = this.#column.of(item);
    const text = JSON.stringify(shown) ?? '';
    if (text === this.#shown) return;
    this.#shown = text;
    const children = [this.#column.draw(shown)].flat(2);
    this.#body.replaceChildren(...children.filter((child) => child || child === 0).map(asChild));
  }
}

function asChild(child) {
  return typeof child === 'number' ? String(child) : child;
}
