// What goes wrong is one sentence, and the page goes on.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  blank,
  browser,
  DIST,
  field,
  hosted,
  open,
  planned,
  planning,
  serve,
  server,
  write,
} from './served.mjs';

let page;

hosted(() => page);

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {kuma.io/workload: shop}}\n';

const bomb = Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [*a${at - 1}, *a${at - 1}]\n`)
  .slice(1)
  .join('');

const inputs = {
  'broken YAML': ['a: [\n', /never closed/],
  'a template': ['a: {{ .Values.a }}\n', /template/i],
  'a list for a map': ['apiVersion: v1\nkind: Pod\nmetadata: []\n', /must be a map, not a list/],
  'ten thousand levels': ['['.repeat(10_000), /nested deeper than/],
  'an alias bomb': [`a0: &a0 x\n${bomb}`, /alias/],
};

for (const [name, [input, sentence]] of Object.entries(inputs)) {
  test(`${name}: a message, and the page lives`, async () => {
    page = await open(browser, server.url);
    await planning(page, () => write(page, input));
    await page.locator('#report').getByText(sentence).first().waitFor();
    await planning(page, () => write(page, POD));
    await page.getByText('cannot manually set kuma.io/workload label').first().waitFor();
  });
}

const slow = {
  'a million brackets': '['.repeat(1_000_000),
  'many brackets in lines': '[\n'.repeat(40_000),
  'half a million lists in a line': '- '.repeat(500_000),
};

for (const [name, input] of Object.entries(slow)) {
  test(`${name}: typing goes on, without colours`, async () => {
    page = await open(browser, server.url);
    assert.notEqual(await page.locator('#editor .cm-line span').count(), 0);
    await write(page, input);
    await page.keyboard.press('Control+Home');
    await page.keyboard.type('kind: x ');
    assert.match(await field(page).locator('.cm-line').first().textContent(), /^kind: x /);
    // Each colour is a class of its own.
    assert.equal(await page.locator('#editor .cm-line span[class^="ͼ"]').count(), 0);
    await planning(page, () => write(page, POD));
    assert.notEqual(await page.locator('#editor .cm-line span[class^="ͼ"]').count(), 0);
  });
}

/** The page with a worker that does this before it does what the page's own does. */
async function withWorker(before) {
  page = await blank(browser);
  await page.addInitScript((source) => {
    const { Blob } = globalThis;
    globalThis.Blob = class extends Blob {
      constructor(parts, options) {
        super(options?.type === 'text/javascript' ? [source, ...parts] : parts, options);
      }
    };
  }, before);
  await page.goto(server.url);
  await planned(page);
}

const fails = (act) => `addEventListener('message', (event) => {
  const changed = event.data.method === 'plan' ? event.data.args[0] : [];
  if (changed.some(({ bytes }) => new TextDecoder().decode(bytes).includes('boom'))) { ${act} }
}, true);`;

test('a worker that breaks is begun anew, and what was typed is there', async () => {
  await withWorker(fails("event.stopImmediatePropagation(); throw new Error('unreachable');"));
  await write(page, `${POD}# boom\n`);
  await page.locator('#status').getByText('The module stopped').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.state), 'failed');
  await planning(page, async () => {
    for (const _ of 'boom\n') await page.keyboard.press('Backspace');
  });
  assert.match(await field(page).textContent(), /kuma.io\/workload: shop/);
  await page.getByText('cannot manually set kuma.io/workload label').first().waitFor();
});

test('a worker that does not end is ended, and the page says so', async () => {
  await withWorker(fails('for (;;);'));
  await write(page, `${POD}# boom\n`);
  await page.locator('#status').getByText('The plan is being made.').waitFor();
  await page.locator('#status').getByText('takes more than 10 seconds, and was ended').waitFor();
  await planning(page, () => write(page, POD));
});

test('a module that is not there is one sentence, and the editor works', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'playground-'));
  cpSync(DIST, folder, { recursive: true });
  rmSync(join(folder, 'kuma_workload_plan_bg.wasm'));
  const without = await serve(folder);
  try {
    page = await blank(browser);
    await page.goto(without.url);
    await page.locator('#status').getByText('The module cannot be loaded').waitFor();
    await write(page, POD);
    assert.match(await field(page).textContent(), /kuma.io\/workload: shop/);
    page.complaints = page.complaints.filter((text) => !text.includes('404'));
  } finally {
    await page.context().close();
    await without.close();
    rmSync(folder, { recursive: true });
  }
});

test('a new version is offered, and loaded when somebody says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'playground-'));
  cpSync(DIST, folder, { recursive: true });
  const changing = await serve(folder);
  try {
    page = await open(browser, changing.url);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await planning(page, () => write(page, POD));
    await page.waitForFunction(() => Number(document.documentElement.dataset.kept) > 0);
    for (const [file, from, to] of [
      ['service-worker.js', /[0-9a-f]{16}/, 'f'.repeat(16)],
      ['index.html', /<title>/, '<title>new '],
    ]) {
      const path = join(folder, file);
      writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
    }
    await page.reload();
    await page.getByText('There is a new version of this page.').waitFor();
    assert.equal(await page.title(), 'kuma-workload playground');
    await Promise.all([
      page.waitForEvent('load'),
      page.getByRole('button', { name: 'Reload with it' }).click(),
    ]);
    await planned(page);
    assert.equal(await page.title(), 'new kuma-workload playground');
    assert.match(await field(page).textContent(), /kuma.io\/workload: shop/);
    const names = await page.evaluate(() => caches.keys());
    assert.deepEqual(names, [`kuma-workload-playground-${'f'.repeat(16)}`]);
  } finally {
    await changing.close();
    rmSync(folder, { recursive: true });
  }
});
