// The small parts of the page: names, questions, marks, and the line for kwctl.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { Names, tidyName, wrongName } from '../page/documents/names.js';
import { isReadable } from '../page/editor/colours.js';
import { stateOf } from '../page/editor/line-ends.js';
import { marksOf } from '../page/editor/marks.js';
import { canShow, isAsked } from '../page/settings/questions.js';
import { kwctlLine, objectOf, podAt } from '../page/share/kwctl.js';

const names = [
  ['a.yaml', [], 'a.yaml'],
  ['a.yaml', ['a.yaml'], 'a-2.yaml'],
  ['a.yaml', ['a.yaml', 'a-2.yaml'], 'a-3.yaml'],
  ['x.y/a', ['x.y/a'], 'x.y/a-2'],
  ['.yaml', ['.yaml'], '-2.yaml'],
  ['a\n.b', ['a\n.b'], 'a\n-2.b'],
];

for (const [wished, taken, free] of names) {
  test(`a free name for ${JSON.stringify(wished)}`, () => assert.equal(new Names(taken).take(wished), free));
}

test('many documents of the same name get their names at once', () => {
  const asked = { count: 0 };
  const counting = new Proxy(Set.prototype.has, {
    apply(has, set, args) {
      asked.count += 1;
      return Reflect.apply(has, set, args);
    },
  });
  const { has } = Set.prototype;
  Set.prototype.has = counting;
  try {
    const names = new Names([]);
    const given = Array.from({ length: 20_000 }, () => names.take('a.yaml'));
    assert.deepEqual([given[0], given[1], given.at(-1)], ['a.yaml', 'a-2.yaml', 'a-20000.yaml']);
  } finally {
    Set.prototype.has = has;
  }
  assert.ok(asked.count < 50_000, `${asked.count} names are looked up`);
});

const long = `${'a/'.repeat(200)}pods.yaml`;
const tidied = [
  ['a.yaml', 'a.yaml'],
  ['a\n.yaml', 'a\u{fffd}.yaml'],
  ['\u{200b}\u{202e}', 'document.yaml'],
  [' \t', 'document.yaml'],
  [long, long.slice(-240)],
];

for (const [name, tidy] of tidied) {
  test(`the name of a file: ${JSON.stringify(name.slice(0, 20))}`, () => {
    assert.equal(tidyName(name), tidy);
    assert.equal(wrongName(tidy), null);
    assert.equal(wrongName(name) === null, tidy === name);
  });
}

test('questions are asked as Kubewarden asks them', () => {
  const values = { a: true, b: 'x' };
  const asked = (condition) => isAsked(condition, (variable) => values[variable]);
  assert.deepEqual(
    [undefined, 'a=true', 'a=false', 'a=true&&b=x', 'a=true&&b=y', 'b=y||b=x', 'b=y||b=z'].map(asked),
    [true, true, false, true, false, true, false],
  );
});

test('each question of the table has a default that its field shows, and names only others', () => {
  const { questions } = parse(readFileSync(new URL('../../questions-ui.yml', import.meta.url), 'utf8'));
  const variables = new Set(questions.map(({ variable }) => variable));
  for (const question of questions) {
    const isField = question.type !== 'map[string]' && question.default !== undefined;
    if (isField) assert.ok(canShow(question, question.default), question.variable);
    for (const [, variable] of (question.show_if ?? '').matchAll(/(\w+)=/g))
      assert.ok(variables.has(variable));
  }
});

test('marks: faults and findings, at their places', () => {
  const { doc } = stateOf('a: 😀 b\r\nc: [d]\n');
  const finding = {
    severity: 'warning',
    message: 'found',
    remedy: 'do',
    place: { file: 'a.yaml', line: 2, column: 4 },
    objects: [
      { place: { file: 'a.yaml', line: 2, column: 4 } },
      { place: { file: 'a.yaml', line: 2, column: 5 } },
    ],
  };
  const report = {
    faults: [
      { place: { file: 'a.yaml', line: 0, column: 0 }, message: 'all' },
      { place: { file: 'b.yaml', line: 1, column: 1 }, message: 'elsewhere' },
      { place: { file: 'a.yaml', line: 1, column: 6 }, message: 'here' },
      { place: { file: 'a.yaml', line: 9, column: 1 }, message: 'beyond' },
    ],
    findings: [finding, { severity: 'note', message: 'about all', remedy: 'none' }],
  };
  const marks = marksOf(report, 'a.yaml', doc);
  assert.deepEqual(
    marks.map(({ from, to, severity, message }) => [doc.sliceString(from, to), severity, message]),
    [
      ['a: 😀 b', 'error', 'all'],
      ['b', 'error', 'here'],
      ['[', 'warning', 'found\ndo'],
      ['d', 'warning', 'found\ndo'],
      ['', 'error', 'beyond'],
    ],
  );
});

/** What a shell gives a program kwctl by this line: what it reads, and its arguments. */
function run(line) {
  const said = `kwctl() { cat; printf '\\n%s' "$@"; }; ${line}`;
  return execFileSync('bash', ['-c', said], { encoding: 'utf8' }).split('\n');
}

test('a shell takes the line as it is', () => {
  const review = { name: "it's $HOME `id` \\ !" };
  const settings = { action: "'; id; '" };
  const [read, ...args] = run(kwctlLine({ review, settings, version: '1.2.3' }));
  assert.deepEqual(JSON.parse(read), review);
  assert.deepEqual(args, [
    'run',
    '--allow-context-aware',
    '--request-path',
    '-',
    '--settings-json',
    JSON.stringify(settings),
    'registry://ghcr.io/kuma-workload/policies/kuma-workload-policy:v1.2.3',
  ]);
});

test('the line is for the object in which the cursor is', () => {
  const pod = (name, file, line, admission = {}) => ({ name, admission, place: { file, line } });
  const pods = [pod('b', 'x', 10), pod('a', 'x', 2), pod('c', 'y', 1), pod('d', 'x', 20, null)];
  const name = (file, line) => podAt({ pods }, file, line)?.name;
  assert.deepEqual(
    [name('x', 1), name('x', 9), name('x', 10), name('x', 30), name('y', 5), name('z', 1)],
    ['a', 'a', 'b', 'b', 'c', undefined],
  );
  assert.equal(podAt({ pods: [] }, 'x', 1), undefined);
});

test('of objects with the same name, the line says which is meant', () => {
  const pod = {
    kind: 'Pod',
    namespace: 'a',
    name: 'b',
    verdict: {},
    place: { file: 'x', line: 7, column: 1 },
  };
  assert.deepEqual(JSON.parse(objectOf(pod)), { kind: 'Pod', namespace: 'a', name: 'b', line: 7 });
});

test('what the editor colours has bounds', () => {
  const isColoured = (text) => isReadable(stateOf(text).doc);
  const lines = (line, count) => `${line}\n`.repeat(count);
  assert.deepEqual(['', lines('[', 20_000), 'x'.repeat(5000), lines('abc', 262_144)].map(isColoured), [
    true,
    true,
    true,
    true,
  ]);
  assert.deepEqual([lines('{', 20_001), 'x'.repeat(5001), lines('abc', 262_145)].map(isColoured), [
    false,
    false,
    false,
  ]);
});
