/** What the colours and signs of the picture mean; only of those that are in it. */

import { s } from '../dom.js';
import { grouped } from '../text.js';
import { fitted, widthOf } from './fitted.js';
import { LIMITS } from './model.js';
import { cross, meshMark, shape, symbol } from './symbols.js';

const EACH = 7;
const HEIGHT = 24;

/**
 * @param {{width: number}} layout
 * @param {object} model
 * @param {number} top
 * @returns {{element: SVGElement, height: number}}
 */
export function legend({ width }, model, top) {
  let x = 0;
  let y = top;
  const elements = [...meshEntries(model, width), ...signEntries(model)].flatMap(({ label, sign }) => {
    const needed = 26 + widthOf(label, EACH) + 16;
    if (x > 0 && x + needed > width) {
      x = 0;
      y += HEIGHT;
    }
    const made = [
      sign?.(x + 9, y + 9),
      s('text', { class: 'report-label', x: sign ? x + 24 : x, y: y + 13 }, label),
    ];
    x += needed;
    return made;
  });
  return { element: s('g', {}, ...elements), height: elements.length ? y - top + HEIGHT : 0 };
}

function meshEntries({ meshes, more }, width) {
  const shown = meshes.slice(0, LIMITS.legend).map((mesh) => ({
    label: fitted(mesh.name, width - 40, EACH),
    sign: (x, y) => meshMark(mesh, x - 9, y - 9),
  }));
  const left = meshes.length - shown.length;
  if (left > 0) shown.push({ label: `+${grouped(left)} meshes` });
  if (more > 0) shown.push({ label: `+${grouped(more)} namespaces` });
  return shown;
}

function signEntries({ boxes }) {
  const groups = boxes.flatMap((box) => box.groups);
  const lines = groups.flatMap((group) => group.lines);
  const dots = lines.flatMap((line) => line.dots);
  const has = (test) => dots.some(test);
  const entries = [
    has(({ kind }) => kind === 'pod') && ['Pod', dot('pod')],
    has(({ kind }) => kind === 'template') && ['Pod template', dot('template')],
    has(({ kind }) => kind === 'dataplane') && ['Dataplane', dot('dataplane')],
    has(({ rejected }) => rejected) && ['rejected', dot('pod', 'report-rejected')],
    has(({ finished }) => finished) && ['finished', dot('pod', 'report-finished')],
    groups.some((group) => group.conflict) && ['conflict', (x, y) => symbol('conflict', x, y)],
    boxes.some((box) => box.split) && ['split namespace', splitBox],
    lines.some((line) => line.moves) && ['to move', (x, y) => symbol('arrow', x, y)],
  ];
  return entries.filter(Boolean).map(([label, sign]) => ({ label, sign }));
}

function dot(kind, state = '') {
  return (x, y) =>
    s(
      'g',
      { class: 'report-mesh-none' },
      s(
        'g',
        { class: `report-dots report-${kind} ${state}` },
        s('path', { d: shape(kind, { x, y }) }),
        state === 'report-rejected' && s('path', { class: 'report-cross', d: cross({ x, y }) }),
      ),
    );
}

function splitBox(x, y) {
  return s('rect', { class: 'report-box report-split', x: x - 8, y: y - 6, width: 16, height: 12, rx: 3 });
}
