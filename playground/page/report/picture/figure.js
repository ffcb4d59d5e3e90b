/** The picture in the report: as wide as there is room, drawn anew only if it would differ. */

import { h } from '../dom.js';
import { drawn } from './draw.js';
import { layoutOf } from './layout.js';
import { asList } from './list.js';
import { modelOf } from './model.js';

/** The lists of a report that the picture is made of. */
const DRAWN = ['namespaces', 'workloads', 'pods'];

/** So far outside of what is seen it is drawn already. */
const NEAR = '200px';

/** For how many milliseconds nothing may have changed before it is drawn again. */
const PAUSE = 150;

/** A section with the picture and its list. */
export class Figure {
  #frame = h('div', { class: 'report-frame report-canvas' });
  #list = h('div', {});
  #details = h(
    'details',
    { class: 'report-as-list', ontoggle: () => this.#opened() },
    h('summary', { 'data-control': 'list' }, 'As a list'),
    this.#list,
  );
  #boxes = new Map();
  #unlisted = true;
  #model = { boxes: [], more: 0, meshes: [] };
  #text;
  #width = 0;
  #report;
  #meshes;
  #isStale = false;
  #isSeen = false;
  #timer;

  constructor() {
    this.element = h(
      'section',
      { 'aria-labelledby': 'report-picture', hidden: true },
      h('h3', { class: 'report-heading', id: 'report-picture', tabindex: '-1' }, 'Picture'),
      this.#frame,
      this.#details,
    );
    new IntersectionObserver(([entry]) => this.#seen(entry.isIntersecting), { rootMargin: NEAR }).observe(
      this.element,
    );
    new ResizeObserver(([entry]) => this.#resized(entry.contentRect.width)).observe(this.#frame);
  }

  /**
   * @param {object} report
   * @param {Map<string, object>} meshes the mark of each mesh
   */
  show(report, meshes) {
    const shown = this.#report;
    if (shown && DRAWN.every((list) => report[list] === shown[list])) return;
    this.#report = report;
    this.#meshes = meshes;
    this.#isStale = true;
    this.element.hidden = DRAWN.every((list) => report[list].length === 0);
    this.#update();
  }

  /** It is made anew once somebody can see it: the first time at once, and later when the changes pause. */
  #update() {
    clearTimeout(this.#timer);
    if (!this.#isStale || !(this.#isSeen || this.#details.open)) return;
    if (this.#text === undefined) this.#remake();
    else this.#timer = setTimeout(() => this.#remake(), PAUSE);
  }

  #remake() {
    clearTimeout(this.#timer);
    if (!this.#isStale) return;
    this.#isStale = false;
    const model = modelOf(this.#report, this.#meshes);
    const text = JSON.stringify(model);
    if (text === this.#text) return;
    this.#text = text;
    this.#model = model;
    this.#unlisted = true;
    this.#listed();
    this.#draw();
  }

  #seen(isSeen) {
    this.#isSeen = isSeen;
    this.#update();
  }

  #opened() {
    if (this.#details.open) this.#remake();
    this.#listed();
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
