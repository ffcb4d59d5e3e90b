/** Small parts that several tables have. */

import { h, hidden, named, quiet } from './dom.js';
import { placeText, shownName, visible } from './text.js';

/** Makes the parts that call back: buttons that open a place or an explanation. */
export class Parts {
  #open;
  #explain;
  #names;

  /**
   * @param {(place: object) => void} open
   * @param {(name: string) => void} explain
   */
  constructor(open, explain) {
    this.#open = open;
    this.#explain = explain;
  }

  /** Which documents there are to jump to; all, if nobody says. */
  documents(names) {
    this.#names = names && new Set(names);
  }

  /** What rows with places depend on besides their items. */
  get context() {
    return this.#names ? JSON.stringify([...this.#names]) : '';
  }

  /** Whether a place can be jumped to. */
  reaches(place) {
    return Boolean(place) && (!this.#names || this.#names.has(place.file));
  }

  /** A place with whether it can be jumped to, as cells keep it. */
  placed(place) {
    return place && { ...place, reached: this.reaches(place) };
  }

  /** A place, as a button if it can be jumped to. */
  place(place) {
    if (!place) return null;
    const { reached = this.reaches(place), ...where } = place;
    const text = placeText(where);
    if (!reached) return h('span', { class: 'report-place' }, h('bdi', {}, text));
    return h(
      'button',
      {
        type: 'button',
        class: 'report-place',
        'data-control': `place ${text}`,
        onclick: () => this.#open(where),
      },
      hidden('Go to '),
      h('bdi', {}, text),
    );
  }

  /** A code or the number of a rule, as a button that opens its explanation. */
  code(name) {
    return h(
      'button',
      {
        type: 'button',
        class: 'report-code',
        'aria-haspopup': 'dialog',
        'data-control': `code ${name}`,
        onclick: () => this.#explain(name),
      },
      hidden('Explain '),
      visible(name),
    );
  }
}

/** A mesh as cells keep it: its name with its mark. */
export function meshChip(mesh) {
  if (!mesh) return quiet('none');
  const chip = h(
    'span',
    { class: `report-chip report-mesh-${mesh.colour}`, 'aria-hidden': 'true' },
    mesh.letter,
  );
  return h('span', { class: 'report-mesh' }, chip, named(mesh.name));
}

/** A name over where it came from. */
export function sourced(name, source) {
  return [name, h('div', { class: 'report-quiet' }, h('bdi', {}, visible(source)))];
}

/** An object as the report names it: kind, namespace and name. */
export function objectName({ kind, namespace, mesh, name }) {
  const within = namespace ?? mesh;
  const full = within === undefined ? shownName(name) : `${shownName(within)}/${shownName(name)}`;
  return [h('bdi', {}, visible(kind)), ' ', h('bdi', { class: 'report-name' }, full)];
}
