/** The picture as SVG. */

import { s } from '../dom.js';
import { grouped } from '../text.js';
import { fitted } from './fitted.js';
import { SIZES } from './layout.js';
import { legend } from './legend.js';
import { cross, meshMark, shape, symbol } from './symbols.js';

let pictures = 0;

/**
 * @param {object} layout as of `layoutOf`
 * @param {object} model as of `modelOf`
 * @param {Map<string, Element>} [boxes] those of the last time, which are taken again where they are the same
 * @returns {SVGSVGElement}
 */
export function drawn(layout, model, boxes = new Map()) {
  const id = `report-picture-${++pictures}`;
  const key = legend(layout, model, layout.height + 20);
  const height = layout.height + 20 + key.height;
  return s(
    'svg',
    {
      class: 'report-svg',
      role: 'img',
      'aria-labelledby': `${id}-title ${id}-desc`,
      viewBox: `-1 -1 ${layout.width + 2} ${height + 2}`,
      width: layout.width + 2,
      height: height + 2,
    },
    s('title', { id: `${id}-title` }, 'Namespaces, Workloads and Pods by mesh'),
    s('desc', { id: `${id}-desc` }, 'The same is said as a list beside the picture.'),
    ...reused(layout.boxes, boxes),
    key.element,
  );
}

function reused(placed, boxes) {
  const before = new Map(boxes);
  boxes.clear();
  for (const one of placed) {
    const text = JSON.stringify(one.inside);
    const element = before.get(text) ?? box(one.inside);
    element.setAttribute('transform', `translate(${one.x} ${one.y})`);
    boxes.set(text, element);
  }
  return [...boxes.values()];
}

function box(placed) {
  const { width, height, name, universal, split, home, groups, more, arrows } = placed;
  const { pad, chip } = SIZES;
  const kind = universal ? 'mesh' : 'namespace';
  const state = split ? 'namespace, split' : kind;
  const bottom = height - 10;
  return s(
    'g',
    {},
    s('rect', { class: `report-box${split ? ' report-split' : ''}`, width, height, rx: 8 }),
    text('report-title', pad, 19, fitted(name, width - 2 * pad - chip - 8, 7.4)),
    text(split ? 'report-small report-torn' : 'report-small', pad, 35, state),
    home && meshMark(home, width - pad - chip, 9),
    ...groups.map(group),
    more > 0 && text('report-small', pad, bottom, `+${grouped(more)} Workloads`),
    arrows && arrow(placed),
  );
}

function group({ x, y, width, height, workload, action, conflict, lines, more }) {
  const room = width - 16 - (conflict ? 18 : 0) - (action ? action.length * 6.2 + 8 : 0);
  const name = workload === undefined ? noWorkload(lines) : fitted(workload, room, 6.8);
  const label = workload === undefined ? 'report-small' : 'report-label';
  return s(
    'g',
    {},
    s('rect', { class: `report-group${conflict ? ' report-conflict' : ''}`, x, y, width, height, rx: 5 }),
    conflict && symbol('conflict', x + 15, y + 13),
    text(label, x + 8 + (conflict ? 18 : 0), y + 17, name),
    action &&
      s(
        'text',
        { class: `report-small report-end${conflict ? ' report-bad' : ''}`, x: x + width - 8, y: y + 17 },
        action,
      ),
    ...lines.map(line),
    more > 0 && text('report-small', x + 8, y + height - 8, `+${grouped(more)} meshes`),
  );
}

function noWorkload(lines) {
  return lines.every(({ mesh }) => !mesh) ? 'in no mesh' : 'no workload';
}

function line({ x, y, mesh, dots, left, end }) {
  const paths = dots.map(({ kind, rejected, finished, points }) => {
    const state = `${rejected ? ' report-rejected' : ''}${finished ? ' report-finished' : ''}`;
    const d = points.map((point) => shape(kind, point)).join('');
    const crosses = rejected && s('path', { class: 'report-cross', d: points.map(cross).join('') });
    return s('g', { class: `report-dots report-${kind}${state}` }, s('path', { d }), crosses);
  });
  return s(
    'g',
    { class: mesh ? `report-mesh-${mesh.colour}` : 'report-mesh-none' },
    mesh && meshMark(mesh, x, y + 1),
    ...paths,
    left > 0 && text('report-small', end.x - 5, end.y + 4, `+${grouped(left)}`),
  );
}

/** From each line that moves to the mark of the mesh that it moves to. */
function arrow({ width, groups, home }) {
  const { pad, chip, line: lineHeight } = SIZES;
  if (!home) return null;
  const gutter = width - pad - chip / 2;
  const target = 9 + chip + 3;
  const moving = groups.flatMap((one) => one.lines.filter((candidate) => candidate.moves));
  const starts = moving.map((one) => ({
    x: one.end.x - 2 + (one.left ? 24 : 0),
    y: lastRow(one, lineHeight),
  }));
  const d = starts.map((start) => `M${start.x} ${start.y}H${gutter - 5}q5 0 5 -5V${target}`).join('');
  return s(
    'g',
    { class: 'report-arrow' },
    s('path', { d }),
    s('path', { class: 'report-head-of-arrow', d: `M${gutter} ${target - 2}l5 8h-10z` }),
  );
}

function lastRow({ dots, y }, lineHeight) {
  return dots.flatMap(({ points }) => points).at(-1)?.y ?? y + lineHeight / 2;
}

function text(style, x, y, content) {
  return s('text', { class: style, x, y }, content);
}
