// Serves a folder for trying the playground: `node serve.mjs FOLDER [PORT]`.

import { serveFolder } from './static.mjs';

const [folder, port = '8000'] = process.argv.slice(2);
try {
  const server = await serveFolder(folder, Number(port));
  console.log(`playground: http://127.0.0.1:${server.address().port}/ (Ctrl+C ends it)`);
} catch (error) {
  const why = error.code === 'EADDRINUSE' ? 'somebody listens there; give another with PORT=' : error.message;
  console.error(`playground: port ${port}: ${why}`);
  process.exit(1);
}
