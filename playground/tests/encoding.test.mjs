// The bytes of a document are those of its file.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '../page/documents/encoding.js';

const texts = [
  ['nothing', [], '', 'utf-8'],
  ['UTF-8', [0xc3, 0xa4, 0x0d, 0x0a], 'ä\r\n', 'utf-8'],
  ['with a mark', [0xef, 0xbb, 0xbf, 0x61], 'a', 'utf-8'],
  ['with two marks', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x61], 'a', 'utf-8'],
  ['UTF-16, little end first', [0xff, 0xfe, 0x61, 0, 0x3d, 0xd8, 0, 0xde], 'a😀', 'utf-16le'],
  ['UTF-16, big end first', [0xfe, 0xff, 0, 0x61, 0, 0x0d, 0, 0x0a], 'a\r\n', 'utf-16be'],
  ['a zero byte', [0x61, 0], 'a\0', 'utf-8'],
];

for (const [name, bytes, text, encoding] of texts) {
  test(name, () => {
    const decoded = decode(Uint8Array.from(bytes));
    assert.deepEqual([decoded.text, decoded.encoding], [text, encoding]);
    assert.deepEqual([...encode(decoded)], bytes);
  });
}

const noTexts = [
  ['Latin-1', [0x61, 0xe4, 0x62], 'a\u{fffd}b'],
  ['a surrogate in UTF-8', [0xed, 0xa0, 0x80], '\u{fffd}\u{fffd}\u{fffd}'],
  ['half a pair in UTF-16', [0xff, 0xfe, 0x3d, 0xd8], '\u{fffd}'],
  ['half a unit of UTF-16', [0xfe, 0xff, 0, 0x61, 0], 'a\u{fffd}'],
];

for (const [name, bytes, shown] of noTexts) {
  test(`no text: ${name}`, () => {
    const decoded = decode(Uint8Array.from(bytes));
    assert.deepEqual([decoded.text, decoded.encoding], [shown, null]);
  });
}

test('what is typed becomes UTF-8 whatever it is', () => {
  assert.deepEqual([...encode({ text: 'a\ud83d', encoding: 'utf-8' })], [0x61, 0xef, 0xbf, 0xbd]);
});
