// Settings at random, and the form's edits of them: one setting is another, all the rest is the same byte for byte.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { readSettings } from '../page/settings/read.js';
import { writeSetting } from '../page/settings/write.js';
import { anyText, edit, numbers, text } from './settings-texts.mjs';

const RUNS = 4_000;

/** The one map of a text, as kubectl reads it; null if it is none. */
function parsed(source) {
  const documents = parseAllDocuments(source, { version: '1.1', uniqueKeys: true });
  if (documents.length > 1 || documents[0]?.errors.length > 0) return null;
  const value = documents[0] ? objectOf(documents[0]) : {};
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null;
}

function objectOf(document) {
  try {
    return document.toJS() ?? {};
  } catch {
    // It has an alias of nothing.
    return null;
  }
}

const lines = (source) => source.match(/[^\r\n]*(\r\n?|\n)|[^\r\n]+$/g) ?? [];

/** The text as the edit must leave it, but for the line that the edit writes: null in its place. */
function expectedLines({ text: source, blocks, end }, key, value) {
  const kept = blocks.flatMap(({ key: owner, text: own }) => {
    if (owner !== key) return lines(own);
    return value === undefined ? [] : [null];
  });
  if (value !== undefined && !blocks.some(({ key: owner }) => owner === key)) {
    const last = kept.pop();
    if (last !== undefined)
      kept.push(/[\r\n]$/.test(last) ? last : last + (source.includes('\n') ? end : '\n'));
    kept.push(null);
  }
  return kept;
}

test('an edit changes its setting, and no byte of another line', () => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const random = numbers(seed);
    const made = text(random);
    const { key, value } = edit(random);
    const what = `seed ${seed}: ${JSON.stringify({ text: made.text, key, value })}`;
    const before = parsed(made.text);
    assert.notEqual(before, null, `${what} is no map`);
    const after = writeSetting(made.text, key, value);
    const isLocked = made.blocks.some((block) => block.key === key && block.isLocked);
    assert.equal(after === null, isLocked, `${what} gives ${JSON.stringify(after)}`);
    if (isLocked) continue;
    const expected = { ...before, [key]: value };
    if (value === undefined) delete expected[key];
    assert.deepEqual(parsed(after), expected, `${what} gives ${JSON.stringify(after)}`);
    assert.ok(after.startsWith(made.before) && after.endsWith(made.after), `${what} gives ${after}`);
    if (made.isFlow) continue;
    const found = lines(after.slice(made.before.length));
    const same = expectedLines(made, key, value);
    assert.equal(found.length, same.length, `${what} gives ${JSON.stringify(after)}`);
    for (const [at, line] of same.entries()) {
      if (line !== null) assert.equal(found[at], line, what);
    }
  }
});

test('of whatever text, an edit changes one setting, or is refused', () => {
  let edited = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const random = numbers(seed);
    const source = anyText(random);
    const { key, value } = edit(random);
    const after = writeSetting(source, key, value);
    const before = parsed(source);
    // What YAML does not take was no settings before, and the form has nothing to keep in step.
    if (after === null || before === null) continue;
    edited += 1;
    const what = `seed ${seed}: ${JSON.stringify({ text: source, key, value })} gives ${JSON.stringify(after)}`;
    const expected = { ...before, [key]: value };
    if (value === undefined) delete expected[key];
    assert.deepEqual(parsed(after), expected, what);
    assert.notEqual(readSettings(after), null, what);
  }
  assert.ok(edited > RUNS / 10, `${edited} texts were edited`);
});
