// Files that are opened or dropped, and folders as the program reads them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDropped, readFiles } from '../page/documents/open.js';

const fileEntry = (path, text) => ({
  name: path.split('/').at(-1),
  fullPath: path,
  isFile: true,
  file: (resolve) => resolve(new File([text], path.split('/').at(-1))),
});

/** A folder gives its entries in several parts, as browsers do. */
const folderEntry = (path, ...entries) => ({
  name: path.split('/').at(-1),
  fullPath: path,
  isDirectory: true,
  createReader() {
    const left = [...entries];
    return { readEntries: (resolve) => resolve(left.splice(0, 2)) };
  },
});

const item = (entry) => ({ webkitGetAsEntry: () => entry, getAsFile: () => null });
const text = ({ name, bytes }) => [name, new TextDecoder().decode(bytes)];

test('a folder is read to its depth: its manifests, in the order of their names', async () => {
  const folder = folderEntry(
    '/app',
    fileEntry('/app/z.yaml', '1'),
    folderEntry('/app/b', fileEntry('/app/b/y.YML', '2'), fileEntry('/app/b/README.md', 'no')),
    fileEntry('/app/a.json', '3'),
    folderEntry('/app/.git', fileEntry('/app/.git/x.yaml', 'no')),
    folderEntry('/app/node_modules', fileEntry('/app/node_modules/x.json', 'no')),
  );
  const found = await readDropped({ items: [item(folder), item(fileEntry('/notes.txt', '4'))] });
  assert.deepEqual(found.map(text), [
    ['app/a.json', '3'],
    ['app/b/y.YML', '2'],
    ['app/z.yaml', '1'],
    ['notes.txt', '4'],
  ]);
});

test('a file without an entry is a file', async () => {
  const dropped = { webkitGetAsEntry: () => null, getAsFile: () => new File(['a'], 'a.yaml') };
  assert.deepEqual((await readDropped({ items: [dropped] })).map(text), [['a.yaml', 'a']]);
});

test('files that are too large are not read at all', async () => {
  const large = { name: 'large.yaml', size: 65 * 1024 * 1024, arrayBuffer: () => assert.fail('it was read') };
  await assert.rejects(readFiles([large]), /these files have 65 MB, and the page takes 64/);
});
