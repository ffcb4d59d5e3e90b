// What is put aside in the browser's storage: the only copy of something is never overwritten.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { asides, clear, keep, keptText } from '../page/state/storage.js';

/** A storage that takes so many characters. */
class Small {
  items = new Map();
  constructor(room) {
    this.room = room;
  }
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  setItem(key, text) {
    const used = [...this.items].reduce((sum, [other, { length }]) => sum + (other === key ? 0 : length), 0);
    if (used + text.length > this.room) throw new DOMException('full', 'QuotaExceededError');
    this.items.set(key, text);
  }
  removeItem(key) {
    this.items.delete(key);
  }
}

/** A state of so many characters. */
const state = (name, length = 100) => JSON.stringify(name.padEnd(length - 2, '.'));
const THEIRS = { isTheirs: true, without: null };

beforeEach(() => {
  globalThis.localStorage = new Small(1000);
});

test('what is theirs is put aside, and what is not goes', () => {
  keep(state('mine'));
  assert.deepEqual(keep(state('link'), THEIRS), { sentence: null, dropped: 0 });
  assert.deepEqual([keptText(), asides()], [state('link'), [state('mine')]]);
  keep(state('example'), { isTheirs: false, without: null });
  assert.deepEqual([keptText(), asides()], [state('example'), [state('mine')]]);
  clear();
  assert.deepEqual([keptText(), asides()], [null, []]);
});

test('what is brought back is aside no longer', () => {
  keep(state('mine'));
  keep(state('link'), THEIRS);
  keep(state('mine'), { isTheirs: true, without: state('mine') });
  assert.deepEqual([keptText(), asides()], [state('mine'), [state('link')]]);
});

test('where there is no room, the oldest goes, and it is told', () => {
  for (const name of ['one', 'two', 'three']) keep(state(name, 300), THEIRS);
  assert.deepEqual(asides(), [state('one', 300), state('two', 300)]);
  assert.deepEqual(keep(state('four', 300), THEIRS), { sentence: null, dropped: 1 });
  assert.deepEqual([keptText(), asides()], [state('four', 300), [state('two', 300), state('three', 300)]]);
});

test('of more than five, the oldest goes, and it is told', () => {
  const dropped = Array.from({ length: 7 }, (_, at) => keep(state(`${at}`, 10), THEIRS).dropped);
  assert.deepEqual(dropped, [0, 0, 0, 0, 0, 0, 1]);
});

test('where there is no room for two, the first stays', () => {
  keep(state('mine', 600));
  const { sentence } = keep(state('link', 500), THEIRS);
  assert.match(sentence, /too much for the browser’s storage/);
  assert.deepEqual([keptText(), asides()], [state('mine', 600), []]);
  // It is tried again with the next change.
  keep(state('link', 100), THEIRS);
  assert.deepEqual([keptText(), asides()], [state('mine', 600), []]);
});

test('what is aside stays, if what takes its place cannot be kept', () => {
  keep(state('mine', 300));
  keep(state('link', 300), THEIRS);
  const { sentence } = keep(state('mine and more', 900), { isTheirs: true, without: state('mine', 300) });
  assert.match(sentence, /too much/);
  assert.deepEqual([keptText(), asides()], [state('link', 300), [state('mine', 300)]]);
});

test('a storage that is refused is a sentence', () => {
  globalThis.localStorage = {
    getItem() {
      throw new DOMException('refused', 'SecurityError');
    },
  };
  assert.match(keep(state('mine'), THEIRS).sentence, /lets this page keep nothing/);
  assert.deepEqual([keptText(), asides()], [null, []]);
  clear();
});
