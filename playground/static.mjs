// A folder as a plain server serves it: no header says more than the type.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/**
 * Serves a folder on the loopback.
 *
 * @param {string} folder the folder
 * @param {number} port the port; 0 for any that is free
 * @param {(path: string) => Promise<void> | void} [before] is awaited before each answer
 * @returns {Promise<import('node:http').Server>} the server, which listens
 */
export function serveFolder(folder, port, before = () => {}) {
  const server = createServer(async ({ url }, response) => {
    // Nothing above the folder: what is left of `..` after this begins at its root.
    const path = normalize(new URL(url, 'http://localhost').pathname);
    await before(path);
    const file = path.endsWith('/') ? `${path}index.html` : path;
    try {
      const bytes = await readFile(join(folder, file));
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
      response.end(bytes);
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is no such file\n');
    }
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
