// A link holds the page's state, and whatever else it holds is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { fromFragment, toFragment } from '../page/state/link.js';
import { check, take } from '../page/state/snapshot.js';

const state = {
  documents: [{ name: 'a😀.yaml', text: 'a: 1\r\nb: "\u0000"\r' }],
  settings: 'action: warn\n',
  options: { target: 'kuma3' },
  active: 0,
};

test('there and back', async () => {
  const fragment = await toFragment(state);
  assert.match(fragment, /^#1\.[\w-]+$/);
  assert.deepEqual(await fromFragment(fragment), state);
});

const fragment = (bytes, version = 1) => `#${version}.${deflateRawSync(bytes).toString('base64url')}`;

test('a fragment that is none of ours is left alone', async () => {
  for (const other of ['', '#', '#plan', '#x.y']) assert.equal(await fromFragment(other), null);
});

const refused = [
  ['cut', () => toFragment(state).then((whole) => whole.slice(0, -9)), /The link is broken/],
  ['other characters', () => '#1.{}', /The link is broken/],
  ['nothing', () => '#1.', /The link is broken/],
  ['no deflate', () => `#1.${Buffer.from('no deflate').toString('base64url')}`, /The link is broken/],
  ['no JSON', () => fragment('{'), /The link is broken/],
  ['no UTF-8', () => fragment(Buffer.from([0x22, 0xff, 0x22])), /The link is broken/],
  ['another version', () => fragment('{}', 2), /of version 2, and this page reads version 1/],
  ['a bomb', () => fragment(Buffer.alloc(64 * 1024 * 1024, ' ')), /holds more than 5 MB/],
];

for (const [name, make, sentence] of refused) {
  test(`refused: ${name}`, async () => assert.rejects(fromFragment(await make()), sentence));
}

const odd = [
  ['no object', null],
  ['a list', []],
  ['no documents', { documents: {} }],
  ['a document without a name', { documents: [{ text: '' }] }],
  ['a document without a text', { documents: [{ name: 'a' }] }],
  ['a text that is none', { documents: [{ name: 'a', text: 1 }] }],
  ['another encoding', { documents: [{ name: 'a', text: '', encoding: null }] }],
  ['a mark that is none', { documents: [{ name: 'a', text: '', mark: 'x' }] }],
  ['a name that is too long', { documents: [{ name: 'a'.repeat(254), text: '' }] }],
  ['a name of two lines', { documents: [{ name: 'a\nb', text: '' }] }],
  ['a name that is not seen', { documents: [{ name: ' \u{200b}\u{202e}', text: '' }] }],
  ['too many documents', { documents: Array.from({ length: 1001 }, () => ({ name: 'a', text: '' })) }],
  ['settings that are no text', { documents: [], settings: {} }],
  ['options that are none', { documents: [], options: 'x' }],
  ['a tab that is none', { documents: [], active: 'x' }],
];

for (const [name, found] of odd) {
  test(`no state: ${name}`, () =>
    assert.throws(() => check(found), /^Error: This is no state of the playground: /));
}

test('a state may have a thousand documents, and names of 253 characters', () => {
  const documents = Array.from({ length: 1000 }, () => ({ name: 'a'.repeat(253), text: '' }));
  assert.equal(check({ documents }).documents.length, 1000);
});

test('the state is that of the moment in which it is taken', async () => {
  const doc = (name) => ({ name, text: name, isText: true, version: 0, encoding: 'utf-8', mark: '' });
  const documents = { list: [doc('a')], settings: doc('settings.yml') };
  documents.active = documents.settings;
  const taking = take(documents, {}, async (text) => text);
  Object.assign(documents, { list: [{ name: 'b', isText: false }], settings: doc('others') });
  assert.deepEqual(await taking, {
    snapshot: { documents: [{ name: 'a', text: 'a' }], settings: 'settings.yml', options: {}, active: 1 },
    leftOut: [],
  });
});

test('what goes into a state is masked, and what is no text is left out', async () => {
  const doc = (name, text, isText = true) => ({
    name,
    text,
    isText,
    version: 0,
    encoding: 'utf-8',
    mark: '',
  });
  const list = [doc('latin.yaml', '\u{fffd}', false), doc('secret.yaml', 'password: hunter2\r\n')];
  const documents = { list, settings: doc('settings.yml', 'hunter2'), active: list[1] };
  const asked = [];
  const mask = async (text) => {
    asked.push(text);
    return text.replaceAll('hunter2', '***');
  };
  const taken = await take(documents, {}, mask);
  assert.deepEqual(taken.snapshot, {
    documents: [{ name: 'secret.yaml', text: 'password: ***\r\n' }],
    settings: '***',
    options: {},
    active: 0,
  });
  assert.deepEqual(taken.leftOut, ['latin.yaml']);
  // What has not changed is not masked again.
  list[1].version = 1;
  await take(documents, {}, mask);
  assert.deepEqual(asked, [list[1].text, 'hunter2', list[1].text]);
});
