import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { countsText, cut, placeText, shownName, summaryText, visible } from '../page/report/text.js';

test('what is not visible is what the sentences of the plan replace too', () => {
  const source = readFileSync(new URL('../../rulebook/src/quoted.rs', import.meta.url), 'utf8');
  const table = /INVISIBLE: \[[^=]*= \[(.*?)\];/s.exec(source)[1];
  const ranges = [...table.matchAll(/\(0x([0-9a-f]+), 0x([0-9a-f]+)\)/g)].map((pair) => pair.slice(1));
  assert.equal(ranges.length, 27);
  const invisible = new Set();
  for (const [first, last] of ranges) {
    for (let code = Number.parseInt(first, 16); code <= Number.parseInt(last, 16); code += 1)
      invisible.add(code);
  }
  for (let code = 0; code <= 0x10ffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const replaced = visible(String.fromCodePoint(code)) === '\uFFFD';
    // U+FFFD itself is no different.
    if (code !== 0xfffd) assert.equal(replaced, invisible.has(code), `U+${code.toString(16)}`);
  }
});

test('half a character is not visible', () => {
  assert.equal(visible('a\uD800b'), 'a\uFFFDb');
  assert.equal(visible('a😀b'), 'a😀b');
});

test('a name is cut after 253 characters, not code units', () => {
  assert.equal(shownName('ä'.repeat(253)), 'ä'.repeat(253));
  assert.equal(shownName('ä'.repeat(254)), `${'ä'.repeat(253)}…`);
  assert.equal(shownName('😀'.repeat(253)), '😀'.repeat(253));
  assert.equal(shownName('😀'.repeat(254)), `${'😀'.repeat(253)}…`);
  assert.equal(cut('abc', 2), 'ab…');
});

test('a place is written as compilers do, and a file alone without a line', () => {
  assert.equal(placeText({ file: 'a\n.yaml', line: 3, column: 7 }), 'a\uFFFD.yaml:3:7');
  assert.equal(placeText({ file: 'a.yaml', line: 0, column: 0 }), 'a.yaml');
});

test('numbers and nouns agree', () => {
  assert.equal(
    summaryText({ errors: 1, warnings: 2, notes: 0, faults: 12000 }),
    '1 error, 2 warnings, no notes, 12,000 faults',
  );
  assert.equal(
    countsText({ pods: 1, dataplanes: 2, templates: 0, coming: 3 }),
    '1 Pod, 2 Dataplanes, 3 to come',
  );
  assert.equal(countsText({}), '');
});
