import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedList, withKeys } from '../page/report/keyed.js';

/** As much of an element as a list needs. */
class Parent {
  children = [];
  moves = 0;

  get firstChild() {
    return this.children[0] ?? null;
  }

  insertBefore(child, before) {
    child.remove();
    this.children.splice(before ? this.children.indexOf(before) : this.children.length, 0, child);
    child.parent = this;
    this.moves += 1;
  }
}

function row(key) {
  const element = {
    key,
    get nextSibling() {
      return this.parent.children[this.parent.children.indexOf(this) + 1] ?? null;
    },
    remove() {
      if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
    },
  };
  return {
    element,
    update(item) {
      element.item = item;
    },
  };
}

function shown(parent) {
  return parent.children.map(({ key, item }) => `${key}=${item}`).join(' ');
}

test('rows follow the list, and only those that differ are touched', () => {
  const parent = new Parent();
  const list = new KeyedList(parent, row);
  const show = (text, context) => {
    parent.moves = 0;
    const items = text ? text.split(' ').map((item) => item.split('=')) : [];
    const touched = list.show(items, context);
    assert.equal(shown(parent), text);
    return [touched, parent.moves];
  };
  assert.deepEqual(show('a=1 b=1 c=1'), [3, 3]);
  const [first] = parent.children;
  assert.deepEqual(show('a=1 b=1 c=1'), [0, 0]);
  assert.deepEqual(show('a=1 b=2 c=1'), [1, 0]);
  assert.deepEqual(show('c=1 a=1 b=2'), [0, 1]);
  assert.deepEqual(show('c=1 d=1 b=2'), [1, 1]);
  assert.deepEqual(show('a=1 c=1 d=1 b=2'), [1, 1]);
  assert.notEqual(parent.children[0], first, 'what went is gone');
  assert.deepEqual(show('b=2 d=1 c=1 a=1'), [0, 3]);
  assert.deepEqual(show('b=2 d=1 c=1 a=1', 'other meshes'), [4, 0]);
  assert.deepEqual(show('b=2 d=1 c=1 a=1', 'other meshes'), [0, 0]);
  assert.deepEqual(show('', 'other meshes'), [0, 0]);
});

test('rows are found by their keys and elements', () => {
  const parent = new Parent();
  const list = new KeyedList(parent, row);
  list.show([['a', 1]]);
  assert.equal(list.keyOf(parent.children[0]), 'a');
  assert.equal(list.row('a').element, parent.children[0]);
  assert.equal(list.keyOf({}), undefined);
  assert.equal(list.row('b'), undefined);
});

test('items of the same name are told apart', () => {
  const keys = withKeys(
    ['web-*', 'b', 'web-*', 'web-*'].map((name) => ({ name })),
    ({ name }) => [name],
  ).map(([key]) => key);
  assert.equal(new Set(keys).size, 4);
  assert.deepEqual(keys.slice(0, 2), ['["web-*"]', '["b"]']);
});
