// What the page promises: nothing leaves it, it works without a network, and all in one file.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
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

test('the page asks its own server for its own files, and nobody else for anything', async () => {
  page = await blank(browser);
  const asked = [];
  page.context().on('request', (request) => asked.push(request.url()));
  await page.goto(server.url);
  await planned(page);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await planning(page, () => write(page, POD));
  const others = asked.filter((url) => !url.startsWith(server.url) && !/^(blob|data):/.test(url));
  assert.deepEqual(others, []);
});

test('a worker from a blob has the page’s policy: what it asks elsewhere fails', async () => {
  const reached = [];
  const elsewhere = createServer((request, response) => {
    reached.push(request.url);
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end();
  });
  await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${elsewhere.address().port}/`;
  try {
    page = await blank(browser);
    // Before the page's own scripts: the blob of its worker asks elsewhere first.
    await page.addInitScript((where) => {
      const Before = globalThis.Blob;
      globalThis.Blob = class extends Before {
        constructor(parts, options) {
          const isWorker = options?.type === 'text/javascript';
          const ask = `fetch('${where}').then(() => postMessage('left'), () => postMessage('refused'));`;
          super(isWorker ? [ask, ...parts] : parts, options);
        }
      };
      const { Worker } = globalThis;
      globalThis.Worker = class extends Worker {
        constructor(...args) {
          super(...args);
          this.addEventListener('message', ({ data }) => {
            if (typeof data === 'string') document.documentElement.dataset.asked = data;
          });
        }
      };
    }, url);
    await page.goto(server.url);
    await page.waitForFunction(() => document.documentElement.dataset.asked);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.asked), 'refused');
    assert.deepEqual(reached, []);
    // That is what was to be seen.
    page.complaints = page.complaints.filter((text) => !text.includes(url));
  } finally {
    await new Promise((resolve) => elsewhere.close(resolve));
  }
});

test('no script but its own: the policy of trusted types refuses others', async () => {
  page = await open(browser, server.url);
  const refused = await page.evaluate(() => {
    const attempts = [
      () => new Worker('./main.js'),
      () => trustedTypes.createPolicy('kuma-workload', {}),
      () => trustedTypes.createPolicy('other', {}),
      () => document.body.append(Object.assign(document.createElement('script'), { src: 'blob:x' })),
    ];
    return attempts.map((attempt) => {
      try {
        attempt();
        return 'done';
      } catch (error) {
        return error.name;
      }
    });
  });
  assert.deepEqual(refused, ['TypeError', 'TypeError', 'TypeError', 'TypeError']);
  page.complaints = [];
});

test('without a network, the page is what it was, with its policy', async () => {
  const own = await serve();
  page = await open(browser, own.url);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await own.close();
  const response = await page.reload();
  await planned(page);
  assert.ok(response.fromServiceWorker());
  assert.match(response.headers()['content-security-policy'], /^default-src 'none'/);
  await planning(page, () => write(page, POD));
  await page.locator('#examples').focus();
  await page.waitForFunction(() => document.querySelectorAll('#examples option').length > 10);
});

test('all in one file, from the file system', async () => {
  const file = pathToFileURL(`${DIST.replace(/\/$/, '')}.html`).href;
  page = await blank(browser);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(file);
  await planned(page);
  await planning(page, () => write(page, POD));
  await page.getByText('cannot manually set kuma.io/workload label').first().waitFor();
  await page.waitForFunction(() => Number(document.documentElement.dataset.kept) > 0);
  await page.locator('#examples').focus();
  await planning(page, () => page.locator('#examples').selectOption('0'));
  assert.deepEqual(
    asked.filter((url) => url !== file && !/^(blob|data):/.test(url)),
    [],
  );
});

const looks = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['narrow', { viewport: { width: 320, height: 640 } }],
];

for (const [name, options] of looks) {
  test(`axe finds nothing: ${name}`, async () => {
    page = await open(browser, server.url, { ...options, bypassCSP: true });
    const check = async () => {
      const { violations } = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
        .analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      assert.deepEqual(found, []);
    };
    await check();
    await page.getByRole('tab', { name: 'Settings' }).click();
    await page.locator('#options summary').click();
    await check();
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide[0] <= wide[1], `${wide[0]} pixels wide, and ${wide[1]} are there`);
    await field(page).focus();
  });
}
