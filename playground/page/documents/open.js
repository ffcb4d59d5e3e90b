/** Files that somebody opens or drops: their names and bytes. */

import { MOST_DOCUMENTS } from './names.js';

/** More than this is not read: the page would be of no use with it. */
const LIMIT = 64 * 1024 * 1024;

/** What the program leaves out of folders. */
const LEFT_OUT = new Set(['.git', 'node_modules']);

const MANIFEST = /\.(ya?ml|json)$/i;

/**
 * Reads files.
 *
 * @param {Iterable<File>} files the files
 * @returns {Promise<Array<{ name: string, bytes: Uint8Array }>>} what they are called, and what is in them
 */
export async function readFiles(files) {
  const chosen = [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
  return read(chosen);
}

/**
 * Reads what is dropped: files, whatever they are, and the manifests of folders, as the program takes them.
 *
 * @param {DataTransfer} dropped what is dropped
 * @returns {Promise<Array<{ name: string, bytes: Uint8Array }>>} what they are called, and what is in them
 */
export async function readDropped(dropped) {
  // All entries must be asked for at once: they are gone after the first wait.
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  for (const entry of entries) {
    if (entry instanceof File) found.push({ name: entry.name, file: entry });
    else if (entry?.isFile) found.push({ name: entry.name, file: await fileOf(entry) });
    else if (entry?.isDirectory) found.push(...(await manifestsOf(entry)));
  }
  return read(found);
}

async function read(found) {
  if (found.length > MOST_DOCUMENTS) {
    const [count, most] = [found.length, MOST_DOCUMENTS].map((number) => number.toLocaleString('en'));
    throw new Error(`these are ${count} files, and the page takes ${most}; plan them with kuma-workload`);
  }
  const size = found.reduce((sum, { file }) => sum + file.size, 0);
  if (size > LIMIT) {
    const megabytes = Math.ceil(size / 1024 / 1024);
    throw new Error(`these files have ${megabytes} MB, and the page takes 64; plan them with kuma-workload`);
  }
  return Promise.all(
    found.map(async ({ name, file }) => ({ name, bytes: new Uint8Array(await file.arrayBuffer()) })),
  );
}

async function manifestsOf(folder) {
  const entries = [];
  const reader = folder.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    entries.push(...some);
  }
  entries.sort((one, next) => (one.name < next.name ? -1 : 1));
  const found = [];
  for (const entry of entries) {
    if (LEFT_OUT.has(entry.name)) continue;
    if (entry.isDirectory) found.push(...(await manifestsOf(entry)));
    else if (MANIFEST.test(entry.name)) {
      found.push({ name: entry.fullPath.replace(/^\//, ''), file: await fileOf(entry) });
    }
  }
  return found;
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
