// The settings' text and its form stay in step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../page/settings/read.js';
import { writeSetting } from '../page/settings/write.js';

const read = [
  ['nothing', '', {}],
  ['comments alone', '# none\n', {}],
  ['a marker', '---\naction: warn\n', { action: 'warn' }],
  [
    'words',
    'a: true\nb: off\nc: No\nd: "off"\ne:\nf: ~\n',
    { a: true, b: false, c: false, d: 'off', e: null, f: null },
  ],
  ['quotes', "a: 'it''s'\nb: \"\\u00e4\"\n", { a: "it's", b: 'ä' }],
  ['lists', 'a: [x, "y"]\nb:\n  - x\n  # why\n  - y\nc: []\n', { a: ['x', 'y'], b: ['x', 'y'], c: [] }],
  [
    'maps',
    'm:\n  payments: [payments, payments-*]\nn: {}\n',
    { m: { payments: ['payments', 'payments-*'] }, n: {} },
  ],
  ['JSON', '{"a": true, "b": ["x"]}', { a: true, b: ['x'] }],
  ['Windows', 'a: x\r\nb: y\r\n', { a: 'x', b: 'y' }],
];

for (const [name, text, expected] of read) {
  test(`read: ${name}`, () => assert.deepEqual(settingsOf(text), expected));
}

const undecided = {
  'a list': '- a\n',
  'broken YAML': 'a: [\n',
  'two documents': 'a: x\n---\nb: y\n',
  'an ended document': 'a: x\n...\n',
  'an anchor': 'a: &x y\nb: *x\n',
  'a tag': 'a: !!str y\n',
  'a literal text': 'a: |\n  x\n',
  'a text over two lines': 'a: b\n  c\n',
  'a key twice': 'a: x\na: y\n',
  'a number': 'a: 1\n',
  'ten thousand levels': `a: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`,
};

for (const [name, text] of Object.entries(undecided)) {
  test(`the text decides: ${name}`, () => assert.equal(settingsOf(text), null));
}

const written = [
  ['the first', '', 'action', 'warn', 'action: "warn"\n'],
  ['another', 'a: x\n', 'b', true, 'a: x\nb: true\n'],
  ['after a last line without an end', 'a: x', 'b', ['y', 'z'], 'a: x\nb: ["y", "z"]\n'],
  ['with the ends of Windows', 'a: x\r\n', 'b', 'y', 'a: x\r\nb: "y"\r\n'],
  [
    'in the place of another value',
    '# why\na: x # because\nb: y\n',
    'a',
    'z',
    '# why\na: "z" # because\nb: y\n',
  ],
  ['in the place of a list', 'a:\n  - x\n  - y\nb: z\n', 'a', ['x'], 'a: ["x"]\nb: z\n'],
  ['taken away', 'a: x\nb: y\n', 'a', undefined, 'b: y\n'],
  ['taken away at the end', 'a: x\nb: y', 'b', undefined, 'a: x\n'],
  ['taken away with its comment', 'a: x # why\r\nb: y\r\n', 'a', undefined, 'b: y\r\n'],
  ['taken away, and not there', 'a: x\n', 'b', undefined, 'a: x\n'],
  ['in JSON', '{"a": "x"}', 'b', true, '{\n  "a": "x",\n  "b": true\n}\n'],
  ['in empty JSON', '{}', 'b', true, '{\n  "b": true\n}\n'],
  ['after a marker', '---\na: x\n', 'b', 'y', '---\na: x\nb: "y"\n'],
];

for (const [name, text, key, value, expected] of written) {
  test(`written: ${name}`, () => {
    const found = writeSetting(text, key, value);
    assert.equal(found, expected);
    assert.deepEqual(settingsOf(found)[key], value);
  });
}
