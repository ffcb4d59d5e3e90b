// The page in Chromium: typing, places, tabs.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { blank, browser, field, hosted, open, planning, serve, server, write } from './served.mjs';

let page;

hosted(() => page);

const begin = async () => {
  page = await open(browser, server.url);
  return page;
};

const POD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {kuma.io/workload: shop}\n';

test('what is typed is planned at once', async () => {
  await begin();
  await planning(page, () => write(page, POD));
  await page.getByText('cannot manually set kuma.io/workload label').first().waitFor();
  await planning(page, async () => {
    await field(page).press('Control+End');
    await page.keyboard.type('spec: [');
  });
  await page.getByText('this [ is never closed').first().waitFor();
});

test('a fault is marked at its character, and the list jumps to it', async () => {
  await begin();
  await planning(page, () => write(page, 'a: 1\nb: "😀👩‍👩‍👧" ]\n'));
  const marked = page.locator('#editor .cm-lintRange-error');
  assert.equal(await marked.textContent(), ']');
  assert.equal(await page.locator('#editor .cm-lint-marker-error').count(), 1);
  await page.locator('#report').getByText('pod.yaml:2:13').click();
  await page.keyboard.press('Delete');
  await planning(page, () => page.keyboard.type('x'));
  assert.match(await field(page).textContent(), /👧" x/u);
});

test('typing comes before the module, and nothing typed is lost', async () => {
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const slow = await serve(undefined, (path) => (path.endsWith('.wasm') ? held : undefined));
  try {
    page = await blank(browser);
    await page.goto(slow.url);
    await write(page, POD);
    await page.keyboard.type('# typed early\n');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.plan), '0');
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    release();
    await page.getByText('cannot manually set kuma.io/workload label').first().waitFor();
    assert.match(await field(page).textContent(), /# typed early/);
  } finally {
    release();
    await slow.close();
  }
});

test('tabs: arrows, Delete, and back', async () => {
  await begin();
  const tabs = page.getByRole('tab');
  assert.deepEqual(await tabs.allTextContents(), ['pod.yaml', 'cluster.yaml', 'Settings']);
  await tabs.first().focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator('[role=tab]:focus').textContent(), 'cluster.yaml');
  assert.equal(await page.locator('[role=tab][aria-selected=true]').textContent(), 'cluster.yaml');
  assert.equal(await page.locator('[role=tab][tabindex="0"]').count(), 1);
  await planning(page, () => page.keyboard.press('Delete'));
  assert.deepEqual(await tabs.allTextContents(), ['pod.yaml', 'Settings']);
  assert.equal(await page.locator('[role=tab]:focus').textContent(), 'Settings');
  await planning(page, () => page.getByRole('button', { name: 'Open it again' }).click());
  assert.deepEqual(await tabs.allTextContents(), ['pod.yaml', 'cluster.yaml', 'Settings']);
  await page.keyboard.press('Home');
});

test('a document gets another name, and no two have the same', async () => {
  await begin();
  await planning(page, async () => {
    await page.getByLabel('Name', { exact: true }).fill('cluster.yaml');
    await page.keyboard.press('Enter');
  });
  assert.deepEqual(await page.getByRole('tab').allTextContents(), [
    'cluster-2.yaml',
    'cluster.yaml',
    'Settings',
  ]);
  await page.locator('#report').getByText('cluster-2.yaml:8:19').first().waitFor();
});

test('Escape and Tab leave the editor', async () => {
  await begin();
  await field(page).focus();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), '');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'SUMMARY');
});

test('Escape and Tab leave the editor, where Escape closes what a mark says too', async () => {
  await begin();
  await planning(page, () => write(page, 'a: [\n'));
  await field(page).press('Control+Home');
  await page.keyboard.press('F8');
  const tooltip = page.locator('#editor .cm-tooltip');
  await tooltip.waitFor();
  await page.keyboard.press('Escape');
  await tooltip.waitFor({ state: 'detached' });
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'SUMMARY');
  assert.doesNotMatch(await field(page).textContent(), /^ /);
  // Who comes back indents.
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  assert.match(await field(page).textContent(), /^ {2}a/);
});

test('a megabyte of settings counts too', async () => {
  await begin();
  await page.getByRole('tab', { name: 'Settings' }).click();
  await write(page, '# a comment\n'.repeat(100_000));
  await page.waitForFunction(() => document.documentElement.dataset.state === 'asking');
});

test('above a megabyte it asks before it plans', async () => {
  await begin();
  const many = `${POD}---\n`.repeat(15_000);
  await page.evaluate((text) => {
    const files = new DataTransfer();
    files.items.add(new File([text], 'many.yaml'));
    document.body.dispatchEvent(
      new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }),
    );
  }, many);
  await page.waitForFunction(() => document.documentElement.dataset.state === 'asking');
  await planning(page, () => page.getByRole('button', { name: 'Plan', exact: true }).click());
  await page.getByText('15,003 objects read').first().waitFor();
});

test('the plan is taken away as Markdown, as JSON, and as a line for kwctl', async () => {
  await begin();
  await planning(page, () => write(page, POD));
  const click = (name) => page.getByRole('button', { name, exact: true }).click();
  const pasted = () => page.evaluate(() => navigator.clipboard.readText());
  await click('Copy as Markdown');
  await page.getByText('The plan is copied.').waitFor();
  assert.match(await pasted(), /forged-label/);
  await click('Copy kwctl line');
  await page.getByText('The kwctl line for Pod default/web is copied.').waitFor();
  assert.match(
    await pasted(),
    /^printf %s '\{.*\| kwctl run --allow-context-aware --request-path - --settings-json '\{.*registry:/s,
  );
  const [download] = await Promise.all([page.waitForEvent('download'), click('Download JSON')]);
  const report = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(report.schema, 1);
  assert.ok(report.findings.some(({ code }) => code === 'forged-label'));
});

test('the line for kwctl is about the document that is shown', async () => {
  await begin();
  await planning(page, () => write(page, POD));
  await page.getByRole('tab', { name: 'cluster.yaml' }).click();
  await planning(page, () =>
    write(page, 'apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: default}\n'),
  );
  await page.evaluate(() => navigator.clipboard.writeText('before'));
  await page.getByRole('button', { name: 'Copy kwctl line' }).click();
  await page.getByText('The policy judges no object of the document that is shown').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'before');
});

test('the plan of nothing is downloaded as the program writes it', async () => {
  await begin();
  await planning(page, () => page.getByRole('button', { name: 'Close', exact: true }).click());
  await planning(page, () => write(page, ''));
  assert.doesNotMatch(await page.locator('#report').textContent(), /there is nothing to plan/i);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download JSON' }).click(),
  ]);
  const { faults } = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(faults.length, 1);
});

test('by keyboard alone, all is reached, in the order in which it is seen', async () => {
  await begin();
  const reached = [];
  const here = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      if (activeElement.id === 'editor') return 'editor';
      return activeElement.id || activeElement.textContent.trim();
    });
  for (let presses = 0; presses < 60 && !reached.includes('Download JSON'); presses += 1) {
    await page.keyboard.press('Tab');
    const now = await here();
    reached.push(now);
    // In the editor Tab indents; nobody is caught there.
    if (now === 'editor') await page.keyboard.press('Escape');
  }
  const order = ['Skip to the plan', 'Documentation', 'New', 'Open files', 'examples', 'Forget', 'pod.yaml'];
  order.push('document-name', 'Save', 'Close', 'editor', 'Options of the plan', 'Copy link', 'Download JSON');
  const found = order.map((name) => reached.findIndex((one) => one === name || one.startsWith(`${name}-`)));
  const tab = order.indexOf('pod.yaml');
  found[tab] = reached.findIndex((one) => /^tab-\d+$/.test(one));
  assert.deepEqual(
    found.filter((at) => at < 0),
    [],
    reached.join(', '),
  );
  assert.deepEqual(
    found,
    found.toSorted((one, next) => one - next),
    reached.join(', '),
  );
});
