// In Chromium too the plan is the program's, byte for byte: by the page, from files with odd bytes, and by the npm
// package in a bundle.

import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { inputs } from '../inputs.mjs';
import { project } from '../installed.mjs';
import { planned as byProgram } from '../program.mjs';
import { blank, browser, hosted, open, planning, serve, server, write } from './served.mjs';

let page;

hosted(() => page);

/** Drops files on the page, in the place of the documents that are there. */
async function drop(documents) {
  const contents = documents.map(({ name, bytes }) => [name, [...bytes]]);
  await planning(page, () =>
    page.evaluate((files) => {
      const dataTransfer = new DataTransfer();
      for (const [name, bytes] of files) dataTransfer.items.add(new File([Uint8Array.from(bytes)], name));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, contents),
  );
}

/** Takes away the documents and settings with which the page begins. */
async function clear() {
  await planning(page, async () => {
    await page.getByRole('tab', { name: 'Settings' }).click();
    await write(page, '');
  });
  for (const name of ['pod.yaml', 'cluster.yaml']) {
    await planning(page, async () => {
      await page.getByRole('tab', { name, exact: true }).click();
      await page.keyboard.press('Delete');
    });
  }
}

/** The report as the page gives it away. */
async function downloaded() {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download JSON' }).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

const odd = inputs().filter(
  ({ name }) => name === 'all that is odd' || name.startsWith('all of examples/plan'),
);

for (const { name, documents } of odd) {
  test(`by the page: ${name}`, async () => {
    page = await open(browser, server.url);
    const files = documents.map(({ name, bytes }) => ({ name: basename(name), bytes }));
    await drop(files);
    await clear();
    assert.equal(await downloaded(), (await byProgram(files)).toString());
  });
}

test('by the npm package, bundled by esbuild', async () => {
  const { folder, remove } = project();
  const home = join(folder, 'site');
  const installed = join(folder, 'node_modules/kuma-workload-plan');
  await build({
    stdin: { contents: `export { plan } from 'kuma-workload-plan';`, resolveDir: folder },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outfile: join(home, 'bundle.js'),
  });
  cpSync(join(installed, 'kuma_workload_plan_bg.wasm'), join(home, 'kuma_workload_plan_bg.wasm'));
  writeFileSync(join(home, 'index.html'), '<!doctype html><link rel="icon" href="data:,">');
  const site = await serve(home);
  try {
    page = await blank(browser);
    await page.goto(site.url);
    for (const { name, documents } of inputs()) {
      const given = documents.map(({ name, bytes }) => ({ name, bytes: [...bytes] }));
      const found = await page.evaluate(async (all) => {
        const { plan } = await import('/bundle.js');
        return plan(all.map(({ name, bytes }) => ({ name, bytes: Uint8Array.from(bytes) })));
      }, given);
      assert.equal(found, (await byProgram(documents)).toString(), name);
    }
  } finally {
    await site.close();
    remove();
  }
});
