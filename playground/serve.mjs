// Serves a folder on the loopback, for trying the playground: `node serve.mjs FOLDER [PORT]`.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const [folder, port = '8000'] = process.argv.slice(2);
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

const server = createServer(async (request, response) => {
  try {
    // Nothing above the folder: what is left of `..` after this begins at its root.
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    const bytes = await readFile(file);
    response
      .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
      .end(bytes);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('there is no such file\n');
  }
});
server.on('error', (error) => {
  const why = error.code === 'EADDRINUSE' ? 'somebody listens there; give another port' : error.message;
  console.error(`playground: port ${port}: ${why}`);
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1', () => {
  console.log(`playground: http://127.0.0.1:${server.address().port}/ (Ctrl+C ends it)`);
});
