import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COLOURS, letters, meshesOf } from '../page/report/meshes.js';
import { fitted, widthOf } from '../page/report/picture/fitted.js';
import { layoutOf } from '../page/report/picture/layout.js';
import { LIMITS, modelOf } from '../page/report/picture/model.js';
import { many, pod, report, split } from './report-sample.mjs';

test('a split namespace: its conflict, its dots, and what moves where', () => {
  const { boxes, more } = modelOf(split());
  assert.equal(more, 0);
  assert.equal(boxes.length, 1);
  const [{ name, split: isSplit, home, moves, groups }] = boxes;
  assert.deepEqual([name, isSplit, home.name, moves.length], ['shop', true, 'default', 1]);
  assert.deepEqual(
    groups.map(({ workload, action, conflict }) => [workload, action, conflict]),
    [['web', 'conflict', true]],
  );
  assert.deepEqual(
    groups[0].lines.map(({ mesh, moves: moving, total }) => [mesh.name, moving, total]),
    [
      ['default', false, 3],
      ['payments', true, 1],
    ],
  );
  assert.deepEqual(
    groups[0].lines[0].dots.map(({ kind, rejected, count }) => [kind, rejected, count]),
    [
      ['pod', false, 1],
      ['pod', true, 1],
      ['template', false, 1],
    ],
  );
});

test('the home is the declared mesh, though nothing is in it', () => {
  const given = split();
  given.namespaces[0].declared = { name: 'orders', source: 'namespace-label' };
  assert.equal(modelOf(given).boxes[0].home.name, 'orders');
});

test('a Pod stands with the workload that its Dataplane keeps, and in no mesh where it is in none', () => {
  const stays = pod('a', { dataplane: { mesh: 'default', workload: 'old' } });
  const outside = pod('b', { meshed: false, mesh: undefined, workload: undefined });
  const [{ groups }] = modelOf(report({ pods: [stays, outside] })).boxes;
  assert.deepEqual(
    groups.map(({ workload, lines }) => [workload, lines[0].mesh?.name]),
    [
      ['old', 'default'],
      [undefined, undefined],
    ],
  );
});

test('Universal has a box for each mesh', () => {
  const workloads = [{ mesh: 'payments', name: 'orders', action: 'create', dataplanes: 1 }];
  const dataplanes = [{ mesh: 'payments', name: 'orders-1', workload: { name: 'orders', source: 'label' } }];
  const [{ name, universal, groups }] = modelOf(report({ universal: { dataplanes, workloads } })).boxes;
  assert.deepEqual(
    [name, universal, groups[0].action, groups[0].lines[0].dots[0].kind],
    ['payments', true, 'create', 'dataplane'],
  );
});

test('what is grave is drawn first, and the rest is a number', () => {
  const pods = Array.from({ length: LIMITS.namespaces + 5 }, (_, index) =>
    pod('web', { namespace: `team-${String(index).padStart(3, '0')}` }),
  );
  const last = pods.at(-1).namespace;
  const namespaces = [{ name: last, injects: true, meshes: [], split: true, moves: [] }];
  const { boxes, more } = modelOf(report({ pods, namespaces }));
  assert.equal(boxes.length, LIMITS.namespaces);
  assert.equal(more, 5);
  assert.equal(boxes[0].name, last);
  const workloads = pods.map((_, index) => ({
    namespace: 'a',
    name: `w${index}`,
    action: 'keep',
    meshes: [],
  }));
  const [box] = modelOf(report({ workloads })).boxes;
  assert.deepEqual([box.groups.length, box.more], [LIMITS.groups, workloads.length - LIMITS.groups]);
});

test('the layout is the same each time, within its width, and nothing overlaps', () => {
  for (const width of [200, 320, 720, 1200]) {
    const model = modelOf(many(5000));
    const layout = layoutOf(model, width);
    assert.deepEqual(layout, layoutOf(modelOf(many(5000)), width));
    assert.ok(layout.width <= Math.max(width, 248), `${layout.width} in ${width}`);
    const boxes = layout.boxes.map(({ x, y, inside }) => ({
      x,
      y,
      width: inside.width,
      height: inside.height,
    }));
    disjoint(boxes);
    for (const { x, y, inside } of layout.boxes) {
      assert.ok(x + inside.width <= layout.width && y + inside.height <= layout.height);
      disjoint(inside.groups);
      for (const group of inside.groups) for (const line of group.lines) within(line, group);
    }
  }
});

test('dots are bounded, and what is not drawn is a number', () => {
  const { boxes } = layoutOf(modelOf(many(5000)), 720);
  for (const { inside } of boxes) {
    const [line] = inside.groups[0].lines;
    const drawn = line.dots.reduce((sum, { points }) => sum + points.length, 0);
    assert.equal(drawn, LIMITS.dots);
    assert.equal(line.left, 5000 / 20 - LIMITS.dots);
  }
  const lines = Array.from({ length: 400 }, () => ({
    mesh: undefined,
    dots: [{ kind: 'pod', count: 99 }],
    total: 99,
  }));
  const groups = lines.map((line) => ({ lines: [line], more: 0 }));
  const crowded = layoutOf({ boxes: [{ groups, more: 0 }] }, 720);
  const points = crowded.boxes[0].inside.groups.flatMap((group) => group.lines[0].dots[0].points);
  assert.ok(points.length <= LIMITS.allDots, `${points.length} dots`);
});

test('more meshes than colours and letters are told apart', () => {
  assert.deepEqual([0, 25, 26, 27, 701, 702].map(letters), ['A', 'Z', 'AA', 'AB', 'ZZ', 'AAA']);
  const pods = Array.from({ length: 60 }, (_, index) =>
    pod('a', { mesh: { name: `m${index}`, source: 'pod-label' } }),
  );
  pods.push(pod('b'));
  const meshes = [...meshesOf(report({ pods })).values()];
  assert.equal(meshes[0].name, 'default');
  assert.equal(new Set(meshes.map(({ letter }) => letter)).size, 61);
});

test('a name is cut to its room, and wide characters need twice as much', () => {
  assert.equal(fitted('abcdef', 60, 10), 'abcdef');
  assert.equal(fitted('abcdefg', 60, 10), 'abcde…');
  assert.equal(fitted('語語語語', 60, 10), '語語…');
  assert.equal(fitted('a\u202Eb', 60, 10), 'a\uFFFDb');
  assert.equal(widthOf('a語', 10), 30);
});

test('a letter on the colour of its mesh can be read in both schemes', () => {
  const style = readFileSync(new URL('../page/report/style/picture.css', import.meta.url), 'utf8');
  const colours = [...style.matchAll(/--mesh: light-dark\((#\w{6}), (#\w{6})\)/g)];
  assert.equal(colours.length, COLOURS);
  for (const [, light, dark] of colours) {
    assert.ok(contrast(light, '#ffffff') >= 4.5, light);
    assert.ok(contrast(dark, '#16191d') >= 4.5, dark);
  }
});

/** The contrast of two colours, as WCAG has it. */
function contrast(one, other) {
  const [less, more] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (more + 0.05) / (less + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function disjoint(boxes) {
  for (const [index, one] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) {
      const apart =
        one.x + one.width <= other.x ||
        other.x + other.width <= one.x ||
        one.y + one.height <= other.y ||
        other.y + other.height <= one.y;
      assert.ok(apart, `${JSON.stringify(one).slice(0, 80)} and ${JSON.stringify(other).slice(0, 80)}`);
    }
  }
}

function within({ dots, left, end }, { x, y, width, height }) {
  const points = dots.flatMap((dot) => dot.points);
  const last = left ? [{ x: end.x + 42, y: end.y }] : [];
  for (const point of [...points, ...last]) {
    assert.ok(point.x - 5 >= x && point.x + 5 <= x + width, `${point.x} in ${x} to ${x + width}`);
    assert.ok(point.y - 5 >= y && point.y + 5 <= y + height, `${point.y} in ${y} to ${y + height}`);
  }
}
