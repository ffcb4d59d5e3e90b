// What the page keeps, what a link holds, and that it is forgotten.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  another,
  blank,
  browser,
  done,
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

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: hunter2\n';

const click = (name) => page.getByRole('button', { name, exact: true }).click();
const text = async () => (await field(page).locator('.cm-line').allTextContents()).join('\n');

/** Writes a text, and waits until it is kept. */
async function keep(what) {
  const count = await page.evaluate(() => Number(document.documentElement.dataset.kept ?? 0));
  await planning(page, () => write(page, what));
  await page.waitForFunction((kept) => Number(document.documentElement.dataset.kept ?? 0) > kept, count);
}

async function copied() {
  await click('Copy link');
  await page.getByText('The link is copied.').waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

test('a link, there and back, in another browser', async () => {
  page = await open(browser, server.url);
  await planning(page, () => write(page, POD));
  await page.locator('#options summary').click();
  await planning(page, () => page.getByLabel('The Kuma that is planned for').selectOption('kuma3'));
  const link = await copied();
  assert.match(link, /#1\.[\w-]+$/);
  assert.ok(link.length < 3000, `${link.length} characters`);
  await done(page);
  page = await open(browser, link);
  assert.equal(await text(), POD);
  assert.equal(await page.getByLabel('The Kuma that is planned for').inputValue(), 'kuma3');
  assert.deepEqual(await page.getByRole('tab').allTextContents(), ['pod.yaml', 'cluster.yaml', 'Settings']);
  await planning(page, () =>
    page
      .getByRole('tab', { name: 'Settings' })
      .click()
      .then(() => write(page, '# mine\n')),
  );
  assert.equal(await page.evaluate(() => location.hash), '');
});

test('a link takes the place of nothing without a way back', async () => {
  page = await open(browser, server.url);
  await keep(`${POD}# from the link\n`);
  const link = await copied();
  await keep(`${POD}# mine\n`);
  // The same page follows it.
  await page.evaluate((url) => {
    location.href = url;
  }, link);
  await page.getByText('A link took the place of your documents, which are kept.').waitFor();
  assert.match(await text(), /from the link/);
  await keep(`${POD}# from the link, and changed\n`);
  await page.reload();
  await planned(page);
  assert.match(await text(), /and changed/);
  await planning(page, () => click('Restore what I had'));
  assert.match(await text(), /# mine/);
  await planning(page, () => click('Restore what I had'));
  assert.match(await text(), /and changed/);
});

test('a broken link is one sentence, and the editor works', async () => {
  page = await open(browser, `${server.url}#1.AAAA`);
  await page.getByText('The link is broken').waitFor();
  await planning(page, () => write(page, POD));
});

test('a state that is too long for a link is a file that the page opens', async () => {
  page = await open(browser, server.url);
  const long = Array.from({ length: 3000 }, (_, at) => `# ${Math.sin(at)}\n`).join('');
  await planning(page, () => write(page, long));
  await click('Copy link');
  await page.getByText(/The link would have [\d,]+ characters/).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), click('Save it as a file')]);
  const path = await download.path();
  await planning(page, () => write(page, POD));
  const bytes = await readFile(path);
  const files = page.locator('input[type=file]');
  await planning(page, () => files.setInputFiles({ name: 'playground.json', mimeType: '', buffer: bytes }));
  assert.ok((await text()).startsWith('# 0\n# 0.84'));
  await planning(page, () => click('Bring mine back'));
  assert.equal(await text(), POD);
});

test('what is secret is in no link and in no storage', async () => {
  page = await open(browser, server.url);
  await keep(SECRET);
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.match(stored, /stringData/);
  assert.doesNotMatch(stored, /hunter2/);
  const link = await copied();
  assert.match(await text(), /hunter2/);
  await done(page);
  page = await open(browser, link);
  assert.match(await text(), /stringData/);
  assert.doesNotMatch(await text(), /hunter2/);
});

test('what is typed is there after a reload, with its line ends, until it is forgotten', async () => {
  page = await open(browser, server.url);
  await keep(POD);
  await page.reload();
  await planned(page);
  assert.equal(await text(), POD);
  const two = await another(page.context());
  await two.goto(server.url);
  await planned(two);
  assert.equal(await two.locator('#editor .cm-line').first().textContent(), 'apiVersion: v1');
  await two.close();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await click('Forget');
  await click('Keep');
  assert.equal(await text(), POD);
  await click('Forget');
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
  await page.getByText('All is forgotten.').waitFor();
  assert.equal(await text(), '');
  const left = await page.evaluate(async () => [
    localStorage.length,
    (await caches.keys()).length,
    (await navigator.serviceWorker.getRegistrations()).length,
    location.hash,
  ]);
  assert.deepEqual(left, [0, 0, 0, '']);
});

test('what cannot be kept is not left without a question', async () => {
  page = await blank(browser);
  const slow = await serve(undefined, (path) => path.endsWith('.wasm') && new Promise(() => {}));
  try {
    await page.goto(slow.url);
    await write(page, POD);
    const [dialog] = await Promise.all([page.waitForEvent('dialog'), page.close({ runBeforeUnload: true })]);
    assert.equal(dialog.type(), 'beforeunload');
    await dialog.dismiss();
    assert.equal(await text(), POD);
  } finally {
    await page.context().close();
    await slow.close();
  }
});

test('storage that is full, or refused, is told once, and the page works', async () => {
  page = await blank(browser);
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await page.goto(server.url);
  await planned(page);
  await planning(page, () => write(page, POD));
  await page.getByText('This is too much for the browser’s storage').waitFor();
});

test('the form writes the text, and the text fills the form', async () => {
  page = await open(browser, server.url);
  await page.getByRole('tab', { name: 'Settings' }).click();
  const mesh = page.getByLabel('One mesh per namespace');
  const namespaceMesh = page.getByLabel("What a Pod's mesh is compared with");
  assert.equal(await mesh.isChecked(), true);
  await planning(page, () => namespaceMesh.selectOption('declared'));
  assert.match(await text(), /^disallowMultipleMeshesPerNamespace: true\nnamespaceMesh: "declared"\n/);
  await planning(page, () => mesh.uncheck());
  assert.equal(await text(), 'namespaceMesh: "declared"\n');
  assert.equal(await namespaceMesh.isVisible(), true);
  await planning(page, () => page.getByLabel('Workload labels', { exact: true }).fill('app\nteam/app\n'));
  assert.equal(await text(), 'namespaceMesh: "declared"\nworkloadLabels: ["app", "team/app"]\n');
  await planning(page, () => write(page, '# by hand\nnamespaceMesh: observed\naction: warn\n'));
  assert.equal(await page.getByLabel('What the rules on meshes do').inputValue(), 'warn');
  await planning(page, () => write(page, 'action: &a warn\n'));
  await page.getByText('The text below decides').waitFor();
  assert.equal(await mesh.isDisabled(), true);
  await planning(page, () => write(page, 'actoin: warn\n'));
  await page
    .locator('#report')
    .getByText(/actoin/)
    .first()
    .waitFor();
});
