/** The harness in real Chromium, under the playground's content security policy. */

import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { browse } from '../served.mjs';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types kuma-workload',
].join('; ');

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Report</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/harness.css">
<main><h1>Plan</h1><h2>Report</h2><div id="report"></div></main><script type="module" src="/harness.js"></script>`;

const STYLE = `@import "./report.css";
:root { color-scheme: light dark; font-family: system-ui, sans-serif; background: light-dark(#fff, #16191d);
  color: light-dark(#1c2024, #e6e8ea) }
body { margin: 0 auto; padding: 1rem; max-width: 80rem }`;

/** The bundles, by their paths. */
async function bundles() {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const options = { bundle: true, write: false, format: 'esm', target: 'es2022', logLevel: 'error' };
  const script = await build({ ...options, entryPoints: [here('harness.js')] });
  const style = { contents: STYLE, loader: 'css', resolveDir: here('../../../page/report') };
  const sheet = await build({ ...options, stdin: style });
  return new Map([
    ['/', ['text/html', PAGE]],
    ['/harness.js', ['text/javascript', script.outputFiles[0].text]],
    ['/harness.css', ['text/css', sheet.outputFiles[0].text]],
  ]);
}

/**
 * Starts a server and a browser.
 * @returns {Promise<{page(options?: object): Promise<import('playwright-core').Page>, close(): Promise<void>}>}
 */
export async function start() {
  const files = await bundles();
  const server = createServer((request, response) => {
    const [type, text] = files.get(request.url) ?? [];
    if (!type) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(text);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const browser = await browse();
  return {
    async page(options = {}) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${server.address().port}/`);
      await page.waitForFunction(() => window.harness);
      return page;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}
