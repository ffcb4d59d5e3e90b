/** The signs of the picture, which its legend repeats. */

import { s } from '../dom.js';
import { SIZES } from './layout.js';

/** The mark of a conflict, or an arrow for the legend, about a centre. */
export function symbol(name, x, y) {
  if (name === 'conflict') {
    const d = `M${x - 3} ${y - 3}l6 6m0 -6l-6 6`;
    return s('g', { class: 'report-mark-conflict' }, s('circle', { cx: x, cy: y, r: 7 }), s('path', { d }));
  }
  return s(
    'g',
    { class: 'report-arrow' },
    s('path', { d: `M${x - 9} ${y}h13` }),
    s('path', { class: 'report-head-of-arrow', d: `M${x + 9} ${y}l-7 -4.5v9z` }),
  );
}

/** The outline of a dot: a circle, or a diamond for a Dataplane. */
export function shape(kind, { x, y }) {
  const r = SIZES.dot;
  if (kind === 'dataplane')
    return `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`;
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
}

/** The cross on a dot that is refused. */
export function cross({ x, y }) {
  return `M${x - 2.5} ${y - 2.5}l5 5m0 -5l-5 5`;
}

/** A mesh's letter on its colour. */
export function meshMark({ letter, colour }, x, y) {
  const { chip } = SIZES;
  return s(
    'g',
    { class: `report-mark report-mesh-${colour}` },
    s('rect', { x, y, width: chip, height: chip, rx: 4 }),
    s('text', { x: x + chip / 2, y: y + 13, class: letter.length > 1 ? 'report-long' : null }, letter),
  );
}
