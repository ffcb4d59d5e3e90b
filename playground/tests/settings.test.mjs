// The settings' text and its form stay in step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEEPEST, LONGEST } from '../page/settings/bounds.js';
import { settingsOf } from '../page/settings/read.js';
import { writeSetting } from '../page/settings/write.js';

const read = [
  ['nothing', '', {}],
  ['comments alone', '# none\n', {}],
  ['a marker', '---\naction: warn\n', { action: 'warn' }],
  [
    'words',
    'a: true\nb: off\nc: No\nd: "off"\ne:\nf: ~\ng: y\nh: N\ni: yEs\n',
    { a: true, b: false, c: false, d: 'off', e: null, f: null, g: true, h: false, i: 'yEs' },
  ],
  ['quotes', "a: 'it''s'\nb: \"\\u00e4\"\n", { a: "it's", b: 'ä' }],
  ['lists', 'a: [x, "z"]\nb:\n  - x\n  # why\n  - z\nc: []\n', { a: ['x', 'z'], b: ['x', 'z'], c: [] }],
  [
    'maps',
    'm:\n  payments: [payments, payments-*]\no: {}\n',
    { m: { payments: ['payments', 'payments-*'] }, o: {} },
  ],
  ['JSON', '{"a": true, "b": ["x"]}', { a: true, b: ['x'] }],
  ['Windows', 'a: x\r\nb: z\r\n', { a: 'x', b: 'z' }],
  ['a byte order mark', '\ufeffa: x\n', { a: 'x' }],
];

for (const [name, text, expected] of read) {
  test(`read: ${name}`, () => assert.deepEqual(settingsOf(text), expected));
}

const POLICY = 'apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nspec: {settings: {}}\n';

const undecided = {
  'a list': '- a\n',
  'broken YAML': 'a: [\n',
  'two documents': 'a: x\n---\nb: z\n',
  'a second document that is empty': 'a: x\n---\n',
  'an ended document': 'a: x\n...\n',
  'a directive': '%YAML 1.2\n---\na: x\n',
  'an anchor': 'a: &x z\nb: *x\n',
  'a tag': 'a: !!str z\n',
  'a literal text': 'a: |\n  x\n',
  'a text over two lines': 'a: b\n  c\n',
  'a key twice': 'a: x\na: z\n',
  'a number': 'a: 1\n',
  'a map in the line of its key': 'a: b: c\n',
  'a list in the line of its key': 'a: - c\n',
  'JSON over several lines': '{\n  "a": "x"\n}\n',
  'a comment between brackets': '{a: x, # keep\r\n b: z}\n',
  'a key alone between brackets': '{a, b: x}\n',
  'what is less indented than the first': '  a: x\nb: z\n',
  'carriage returns alone': 'a: x\rb: z\r',
  'a policy': POLICY,
  'a policy of one namespace': POLICY.replace('Cluster', ''),
  'a policy in JSON': '{"spec": {"settings": {}}}',
};

for (const [name, text] of Object.entries(undecided)) {
  test(`the text decides: ${name}`, () => {
    assert.equal(settingsOf(text), null);
    assert.equal(writeSetting(text, 'action', 'warn'), null);
  });
}

const written = [
  ['the first', '', 'action', 'warn', 'action: "warn"\n'],
  ['after comments', '# none', 'b', true, '# none\nb: true\n'],
  ['another', 'a: x\n', 'b', true, 'a: x\nb: true\n'],
  ['after a last line without an end', 'a: x', 'b', ['y', 'z'], 'a: x\nb: ["y", "z"]\n'],
  ['with the ends of Windows', 'a: x\r\n', 'b', 'y', 'a: x\r\nb: "y"\r\n'],
  [
    'with the indentation of the first',
    '# why\n  a: x\n# end\n',
    'b',
    'z',
    '# why\n  a: x\n# end\n  b: "z"\n',
  ],
  ['after a byte order mark', '\ufeffa: x\n', 'a', 'z', '\ufeffa: "z"\n'],
  [
    'in the place of another value',
    '# why\na: x # because\nb: z\n',
    'a',
    'z',
    '# why\na: "z" # because\nb: z\n',
  ],
  ['beside a key in quotes', '"a" : x\n', 'a', 'z', '"a" : "z"\n'],
  ['in the place of nothing', 'a: # why\nb: z\n', 'a', 'z', 'a: "z" # why\nb: z\n'],
  ['in the place of a list', 'a:\n  - x\n  - z\n# b\nb: z\n', 'a', ['x'], 'a: ["x"]\n# b\nb: z\n'],
  [
    'with what YAML does not take as it is',
    '',
    'a',
    '\u0085\u2028"\ufeff\\',
    'a: "\\u0085\\u2028\\"\\ufeff\\\\"\n',
  ],
  ['taken away', 'a: x\nb: z\n', 'a', undefined, 'b: z\n'],
  ['taken away with its indentation', '  a: x\n  b: z\n', 'a', undefined, '  b: z\n'],
  ['taken away with its list', 'a:\n- x\n- z # z\nb: z\n', 'a', undefined, 'b: z\n'],
  ['taken away at the end', 'a: x\nb: z', 'b', undefined, 'a: x\n'],
  ['taken away with its comment', 'a: x # why\r\nb: z\r\n', 'a', undefined, 'b: z\r\n'],
  ['taken away, and not there', 'a: x\n', 'b', undefined, 'a: x\n'],
  ['after a marker', '---\na: x\n', 'b', 'z', '---\na: x\nb: "z"\n'],
  ['in JSON', '{"a": "x"}', 'b', true, '{"a": "x", "b": true}'],
  ['in empty JSON', '{}', 'b', true, '{"b": true}'],
  ['in empty brackets before a comment', '{ } # x\r\n', 'b', true, '{"b": true } # x\r\n'],
  ['in empty brackets after a comment', '# x\n{}', 'b', true, '# x\n{"b": true}'],
  ['in brackets after a comment', '# keep\n{action: warn}\n', 'b', true, '# keep\n{action: warn, b: true}\n'],
  ['in brackets, another value', '# keep\r\n{a: [x], b: z}\r\n', 'a', [], '# keep\r\n{a: [], b: z}\r\n'],
  ['in brackets with a comma at the end', '{a: x,}', 'b', 'z', '{a: x, b: "z",}'],
  ['the first of brackets taken away', '{a: x , b: z} # x\n', 'a', undefined, '{b: z} # x\n'],
  ['the last of brackets taken away', '{a: x , b: z} # x\n', 'b', undefined, '{a: x} # x\n'],
  ['all of brackets taken away', '{ a: x, }\n', 'a', undefined, '{  }\n'],
];

for (const [name, text, key, value, expected] of written) {
  test(`written: ${name}`, () => {
    const found = writeSetting(text, key, value);
    assert.equal(found, expected);
    assert.deepEqual(settingsOf(found)[key], value);
  });
}

test('a value with comments within is not written over, and others are', () => {
  for (const text of ['a: # why\n  - x\nb: z\n', 'a:\n  - x\n  # why\n  - z\nb: z\n']) {
    assert.equal(writeSetting(text, 'a', ['x']), null);
    assert.equal(writeSetting(text, 'a', undefined), null);
    assert.equal(writeSetting(text, 'b', 'x'), text.replace('b: z', 'b: "x"'));
  }
});

const nested = (depth) => [
  `a: ${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}\n`,
  Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
  `a:\n ${'- '.repeat(depth - 2)}a:\n`,
];

/** Nested without that the columns show it: a bracket stands at the beginning of a line, and so does its end. */
function hidden(depth) {
  const level = (at) => `${' '.repeat(at)}a${at}: [\n]\n${' '.repeat(at)}b:\n`;
  return Array.from({ length: depth }, (_, at) => level(at)).join('');
}

test('what is nested deeper than a stated depth is left to the policy', () => {
  for (const text of nested(DEEPEST)) assert.notEqual(settingsOf(text), null, text);
  for (const text of [DEEPEST + 1, 10_000].flatMap(nested)) assert.equal(settingsOf(text), null);
  const windows = nested(DEEPEST + 1)[1].replaceAll('\n', '\r\n\r\n');
  for (const text of [windows, hidden(DEEPEST + 1), hidden(300)]) assert.equal(settingsOf(text), null);
});

test('what is longer than a stated length is left to the policy', () => {
  const line = (length) => `a: ${'x'.repeat(length - 4)}\n`;
  assert.notEqual(settingsOf(line(LONGEST)), null);
  assert.equal(settingsOf(line(LONGEST + 1)), null);
  assert.equal(writeSetting(line(LONGEST), 'b', 'z'), null);
});

test('twice the text takes about twice the time', () => {
  const texts = {
    keys: (count) => Array.from({ length: count / 8 }, (_, at) => `k${at}: x\n`).join(''),
    items: (count) => `a: [${'x,'.repeat(count / 2)}]`,
    maps: (count) => `a: {${'b: {},'.repeat(count / 6)}}`,
    lines: (count) => `a:\n${'  - x\n'.repeat(count / 6)}`,
    word: (count) => 'x'.repeat(count),
    quote: (count) => `a: "${'\\"'.repeat(count / 2)}`,
    blanks: (count) => `a:${' '.repeat(count)}`,
    ends: (count) => '\n'.repeat(count),
    dashes: (count) => `a:\n${' -'.repeat(DEEPEST / 2)}${'-- '.repeat(count / 3)}`,
    comments: (count) => '#\n'.repeat(count / 2),
    flat: (count) => Array.from({ length: count / 16 }, (_, at) => `k${at}: {b: [c]}\n`).join(''),
    colons: (count) => ': '.repeat(count / 2),
    hyphens: (count) => '- '.repeat(count / 2),
    commas: (count) => ', '.repeat(count / 2),
    anchors: (count) => '&a '.repeat(count / 3),
    faults: (count) => '@ '.repeat(count / 2),
  };
  const time = (text) => {
    const took = Array.from({ length: 5 }, () => {
      const begun = performance.now();
      settingsOf(text);
      return performance.now() - begun;
    });
    return Math.min(...took);
  };
  for (const [name, make] of Object.entries(texts)) {
    time(make(4_000));
    const [short, long] = [time(make(7_500)), time(make(60_000))];
    // Eight times the text; what grows with the square would take 64 times as long.
    assert.ok(long < Math.max(24 * short, 20), `${name}: ${short} ms, then ${long} ms`);
  }
});
