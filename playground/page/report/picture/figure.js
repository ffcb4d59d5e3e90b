/** The picture in the report: as wide as there is room, drawn anew only if it would differ. */

import { h } from '../dom.js';
import { drawn } from './draw.js';
import { layoutOf } from './layout.js';
import { asList } from './list.js';
import { modelOf } from './model.js';

/** A section with the picture and its list. */
export class Figure {
  #frame = h('div', { class: 'report-frame report-canvas' });
  #list = h('div', {});
  #details = h(
    'details',
    { class: 'report-as-list', ontoggle: () => this.#listed() },
    h('summary', { 'data-control': 'list' }, 'As a list'),
    this.#list,
  );
  #boxes = new Map();
  #unlisted = true;
  #model = { boxes: [], more: 0, meshes: [] };
  #text;
  #width = 0;

  constructor() {
    this.element = h(
      'section',
      { 'aria-labelledby': 'report-picture', hidden: true },
      h('h3', { class: 'report-heading', id: 'report-picture', tabindex: '-1' }, 'Picture'),
      this.#frame,
      this.#details,
    );
    new ResizeObserver(([entry]) => this.#resized(entry.contentRect.width)).observe(this.#frame);
  }

  /**
   * @param {object} report
   * @param {Map<string, object>} meshes the mark of each mesh
   */
  show(report, meshes) {
    const model = modelOf(report, meshes);
    const text = JSON.stringify(model);
    if (text === this.#text) return;
    this.#text = text;
    this.#model = model;
    this.element.hidden = model.boxes.length === 0;
    this.#unlisted = true;
    this.#listed();
    this.#draw();
  }

  /** The list is made when it is first seen. */
  #listed() {
    if (!this.#details.open || !this.#unlisted) return;
    this.#unlisted = false;
    this.#list.replaceChildren(asList(this.#model));
  }

  #resized(width) {
    // A scroll bar that comes and goes must not draw it for ever.
    if (Math.abs(width - this.#width) < 4) return;
    this.#width = width;
    this.#draw();
  }

  #draw() {
    if (!this.#width || !this.#model.boxes.length) return;
    const svg = drawn(layoutOf(this.#model, Math.floor(this.#width) - 2), this.#model, this.#boxes);
    this.#frame.replaceChildren(svg);
  }
}
