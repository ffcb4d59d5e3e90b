/** The picture as a list, for who does not see it. */

import { h, named, quiet } from '../dom.js';
import { meshChip } from '../parts.js';
import { counted, grouped, shownName, visible } from '../text.js';

const NOUNS = { pod: ['Pod'], template: ['Pod template'], dataplane: ['Dataplane'] };

/** How many of what has to move are named; the table of namespaces has all of them. */
const MOVES = 20;

/**
 * @param {{boxes: object[], more: number}} model
 * @returns {HTMLElement}
 */
export function asList({ boxes, more }) {
  const items = boxes.map(box);
  if (more > 0) items.push(h('li', {}, `+${grouped(more)} namespaces`));
  return h('ul', { class: 'report-list' }, ...items);
}

function box({ name, universal, split, home, groups, more, moves }) {
  const items = groups.map(group);
  if (more > 0) items.push(h('li', {}, `+${grouped(more)} Workloads`));
  for (const move of moves.slice(0, MOVES)) {
    items.push(
      h(
        'li',
        {},
        'to move: ',
        h('bdi', {}, visible(move.kind)),
        ' ',
        named(move.name),
        ' of ',
        named(move.mesh),
      ),
    );
  }
  if (moves.length > MOVES) items.push(h('li', {}, `to move: +${grouped(moves.length - MOVES)}`));
  return h(
    'li',
    {},
    universal ? 'mesh ' : 'namespace ',
    h('strong', {}, named(name)),
    split && ', split',
    home && !universal && [': ', meshChip(home)],
    items.length > 0 && h('ul', {}, ...items),
  );
}

function group({ workload, action, conflict, lines, more }) {
  const inner = lines.map((line) => h('li', {}, ...lineText(line)));
  if (more > 0) inner.push(h('li', {}, `+${grouped(more)} meshes`));
  return h(
    'li',
    {},
    workload === undefined
      ? 'no workload'
      : ['workload ', h('bdi', { class: 'report-name' }, shownName(workload))],
    action && [': ', conflict ? h('strong', {}, action) : action],
    inner.length > 0 && h('ul', {}, ...inner),
  );
}

function lineText({ mesh, dots, moves }) {
  const parts = dots.map(({ kind, rejected, finished, count }) => {
    const state = [rejected && 'rejected', finished && 'finished'].filter(Boolean).join(', ');
    return counted(count, ...NOUNS[kind]) + (state ? ` (${state})` : '');
  });
  return [mesh ? meshChip(mesh) : quiet('in no mesh'), `: ${parts.join(', ')}`, moves && ', to move'];
}
