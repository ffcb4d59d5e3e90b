// Nothing is lost to a link or an example: what they took the place of comes back, whole, until it is forgotten.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { toFragment } from '../../page/state/link.js';
import { blank, browser, field, hosted, open, planned, planning, server, write } from './served.mjs';

let page;

hosted(() => page);

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: hunter2\n';
const RESTORE = 'Restore what I had';

const text = async () => (await field(page).locator('.cm-line').allTextContents()).join('\n');
const restore = () => page.locator('#toolbar').getByRole('button', { name: RESTORE });
const notices = () => page.locator('#notices');
const link = (name) => toFragment({ documents: [{ name: `${name}.yaml`, text: `${POD}# ${name}\n` }] });

/** Opens a link in the page that is open. */
async function follow(fragment) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, fragment);
}

/** Drops a file, and waits until the page shows it. */
async function drop(name, bytes) {
  await page.evaluate(
    ([named, encoded]) => {
      const dataTransfer = new DataTransfer();
      const content = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
      dataTransfer.items.add(new File([content], named));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    },
    [name, Buffer.from(bytes).toString('base64')],
  );
  await page.getByRole('tab', { name, selected: true }).waitFor();
}

/** Writes a text, and waits until it is kept. */
async function keep(what) {
  const count = await page.evaluate(() => Number(document.documentElement.dataset.kept ?? 0));
  await planning(page, () => write(page, what));
  await page.waitForFunction((kept) => Number(document.documentElement.dataset.kept ?? 0) > kept, count);
}

test('what is too much to be kept comes back after a link', async () => {
  page = await open(browser, server.url);
  await drop('large.yaml', `# mine\n${'# more\n'.repeat(400_000)}`);
  await notices().getByText('too much to be kept').waitFor();
  await planning(page, async () => follow(await link('linked')));
  await notices().getByText('A link took the place of your documents. Not all').waitFor();
  assert.match(await text(), /# linked/);
  await notices().getByRole('button', { name: RESTORE }).click();
  await page.getByRole('tab', { name: 'large.yaml', selected: true }).waitFor();
  assert.match(await text(), /^# mine\n/);
});

test('where nothing can be kept, what was there comes back after a link', async () => {
  page = await blank(browser);
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('refused', 'SecurityError');
      },
    });
  });
  await page.goto(server.url);
  await planned(page);
  await planning(page, () => write(page, `${POD}# mine\n`));
  await planning(page, async () => follow(await link('linked')));
  await planning(page, () => notices().getByRole('button', { name: RESTORE }).click());
  assert.match(await text(), /# mine/);
  assert.equal(await restore().isVisible(), false);
});

test('a file that is no text is said not to be kept, and comes back after a link', async () => {
  page = await open(browser, server.url);
  const bytes = Buffer.from([...Buffer.from('a: 1\nb: "'), 0xe4, 0xe4, 0x22, 0x0a]);
  await drop('latin.yaml', bytes);
  await notices().getByText('does not keep latin.yaml, since it is no text').waitFor();
  await planning(page, async () => follow(await link('linked')));
  await planning(page, () => notices().getByRole('button', { name: RESTORE }).click());
  await page.getByRole('tab', { name: 'latin.yaml', selected: true }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save', exact: true }).click(),
  ]);
  assert.deepEqual(await readFile(await download.path()), bytes);
});

test('links that are edited, one after the other, take no copy away', async () => {
  page = await open(browser, server.url);
  const large = (name) => `# ${name}\n${'# more of it\n'.repeat(120_000)}`;
  await drop('mine.yaml', large('mine'));
  for (const name of ['one', 'two', 'three']) {
    const fragment = await toFragment({ documents: [{ name: `${name}.yaml`, text: large(name) }] });
    await follow(fragment);
    await page.getByRole('tab', { name: `${name}.yaml`, selected: true }).waitFor();
    const count = await page.evaluate(() => Number(document.documentElement.dataset.kept ?? 0));
    await field(page).focus();
    await page.keyboard.type('#');
    await page.waitForFunction((kept) => Number(document.documentElement.dataset.kept) > kept, count);
  }
  await notices().getByText('storage is full: the oldest').waitFor();
  for (const name of ['two', 'one', 'mine']) {
    await restore().click();
    await page.getByRole('tab', { name: `${name}.yaml`, selected: true }).waitFor();
  }
  assert.match(await text(), /^# mine\n/);
});

test('a Secret comes back whole, and after a reload masked, which is said', async () => {
  page = await open(browser, server.url);
  await keep(SECRET);
  await planning(page, async () => follow(await link('linked')));
  await notices().getByText('Once the page is loaded anew, values of Secrets').waitFor();
  await planning(page, () => restore().click());
  assert.match(await text(), /hunter2/);
  await planning(page, async () => follow(await link('other')));
  await keep(`${POD}# other\n`);
  await page.reload();
  await planned(page);
  assert.match(await text(), /# other/);
  await planning(page, () => restore().click());
  assert.match(await text(), /password: "\*\*\*"/);
  await notices().getByText('as the browser kept it: values of Secrets').waitFor();
});

test('an example takes the place of nothing for good, reload included', async () => {
  page = await open(browser, server.url);
  await keep(`${POD}# mine\n`);
  await page.locator('#examples').focus();
  await page.waitForFunction(() => document.querySelectorAll('#examples option').length > 2);
  const count = await page.evaluate(() => Number(document.documentElement.dataset.kept));
  await planning(page, () => page.locator('#examples').selectOption('0'));
  await page.waitForFunction((kept) => Number(document.documentElement.dataset.kept) > kept, count);
  await page.reload();
  await planned(page);
  await planning(page, () => restore().click());
  assert.match(await text(), /# mine/);
});

test('what is forgotten does not come back', async () => {
  page = await open(browser, server.url);
  await planning(page, () => write(page, `${POD}# mine\n`));
  await planning(page, async () => follow(await link('linked')));
  await notices().getByRole('button', { name: RESTORE }).waitFor();
  await page.locator('#examples').focus();
  await page.waitForFunction(() => document.querySelectorAll('#examples option').length > 2);
  await planning(page, () => page.locator('#examples').selectOption('0'));
  await notices().getByRole('button', { name: 'Bring mine back' }).waitFor();
  await page.getByRole('button', { name: 'Forget', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click();
  await page.getByText('All is forgotten.').waitFor();
  assert.equal(await notices().textContent(), '');
  assert.equal(await restore().isVisible(), false);
  assert.equal(await page.getByRole('button', { name: 'Open again' }).isVisible(), false);
  assert.equal(await text(), '');
  // What is typed afterwards is kept.
  await keep(`${POD}# anew\n`);
});

test('a link with too many documents is a sentence, and what is typed is kept', async () => {
  page = await open(browser, server.url);
  const documents = Array.from({ length: 150_000 }, () => ({ name: 'a', text: '' }));
  await follow(await toFragment({ documents }));
  await notices().getByText('it has more than 1,000 documents').waitFor();
  await keep(`${POD}# mine\n`);
});

test('to skip to the plan changes no address', async () => {
  const fragment = await link('linked');
  page = await open(browser, server.url + fragment);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'plan');
  assert.equal(await page.evaluate(() => location.hash), fragment);
  await page.reload();
  await planned(page);
  assert.match(await text(), /# linked/);
});
