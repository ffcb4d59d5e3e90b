// Bundles the playground's page: `node bundle.mjs GLUE OUT`, where GLUE is the file kuma_workload_plan.js beside
// its module, and OUT a folder. It writes OUT/playground/, to be served, and OUT/playground.html, all in one file.

import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { examples } from './examples.mjs';
import { modules } from './plugins.mjs';

const [glue, out] = process.argv.slice(2).map((path) => resolve(path));
const here = new URL('.', import.meta.url).pathname;
const root = resolve(here, '..');
const version = /^version = "(.*)"$/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1];
const common = {
  bundle: true,
  minify: true,
  target: 'es2022',
  write: false,
  charset: 'utf8',
  legalComments: 'none',
};
const html = readFileSync(join(here, 'page/index.html'), 'utf8');
const POLICY = /<meta http-equiv="Content-Security-Policy" content="([^"]*)"/;

/** The one file that esbuild makes. */
async function bundled(entry, more) {
  const { outputFiles } = await build({ ...common, entryPoints: [join(here, 'page', entry)], ...more });
  return outputFiles[0].text;
}

function script(single) {
  return bundled('main.js', { format: 'esm', plugins: [modules({ root, glue, single, version })] });
}

async function served() {
  const folder = join(out, 'playground');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = {
    'index.html': html,
    'style.css': await bundled('style.css'),
    'main.js': await script(false),
    'examples.json': JSON.stringify(examples(root)),
  };
  const name = 'kuma_workload_plan_bg.wasm';
  copyFileSync(glue.replace(/\.js$/, '_bg.wasm'), join(folder, name));
  const hash = createHash('sha256');
  for (const text of Object.values(files)) hash.update(text);
  hash.update(readFileSync(join(folder, name)));
  const define = {
    BUILD: JSON.stringify(hash.digest('hex').slice(0, 16)),
    FILES: JSON.stringify([...Object.keys(files), name]),
    POLICY: JSON.stringify(POLICY.exec(html)[1]),
  };
  files['service-worker.js'] = await bundled('offline/service-worker.js', { format: 'iife', define });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
}

async function single() {
  const style = await bundled('style.css');
  const code = (await script(true)).replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const sha = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = POLICY.exec(html)[1]
    .replace("script-src 'self'", `script-src ${sha(code)}`)
    .replace("style-src 'self'", `style-src ${sha(style)}`)
    .replace("connect-src 'self'", "connect-src 'none'")
    .replace("worker-src 'self' blob:", 'worker-src blob:');
  const page = html
    .replace(POLICY, () => `<meta http-equiv="Content-Security-Policy" content="${policy}"`)
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${style}</style>`)
    .replace(/<script [^>]*><\/script>/, () => `<script type="module">${code}</script>`);
  writeFileSync(join(out, 'playground.html'), page);
}

await served();
await single();
