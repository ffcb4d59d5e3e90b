// The settings' form in the page: what it writes, and where the text decides.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromFragment, toFragment } from '../../page/state/link.js';
import { browser, hosted, open, planning, server } from './served.mjs';

let page;

hosted(() => page);

/** The page with these settings, which come with a link: a paste would change the ends of lines. */
async function openWith(settings) {
  const documents = [{ name: 'a.yaml', text: 'kind: Mine\n' }];
  page = await open(
    browser,
    server.url + (await toFragment({ documents, settings, options: {}, active: 1 })),
  );
  await page.getByRole('tab', { name: 'Settings' }).click();
}

/** The settings' text, byte for byte. */
async function written() {
  await page.getByRole('button', { name: 'Copy link', exact: true }).click();
  await page.getByText('The link is copied.').waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  return (await fromFragment(new URL(link).hash)).settings;
}

const action = () => page.getByLabel('What the rules on meshes do');
const decides = () => page.getByText('The text below decides');

test('a line more, with the indentation and the line ends of the others, and a line less', async () => {
  await openWith('# why\r\n  updates: all # so\r\n');
  await planning(page, () => action().selectOption('warn'));
  assert.equal(await written(), '# why\r\n  updates: all # so\r\n  action: "warn"\r\n');
  await planning(page, () => action().selectOption('deny'));
  assert.equal(await written(), '# why\r\n  updates: all # so\r\n');
});

test('what is on one line between brackets is changed in its place', async () => {
  await openWith('# keep\r\n{ } # x\r\n');
  await planning(page, () => action().selectOption('warn'));
  assert.equal(await written(), '# keep\r\n{"action": "warn" } # x\r\n');
});

const POLICY = `apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {name: mesh}
spec:
  settings: {action: warn}
`;

for (const [name, settings] of Object.entries({
  'a policy': POLICY,
  'comments between brackets': '{action: warn, # keep\r\n updates: all}\n',
  'a text that is too long to be read': `# ${'x'.repeat(70_000)}\naction: warn\n`,
})) {
  test(`the text decides, and no field can be used: ${name}`, async () => {
    await openWith(settings);
    await decides().waitFor();
    assert.equal(await page.locator('#settings-form :enabled:is(input, select, textarea)').count(), 0);
    assert.equal(await written(), settings);
  });
}

test('a list with comments within is not changed by the form, and other fields are', async () => {
  const list = 'workloadLabels:\n  - app # first\n  # then\n  - team/app\n';
  await openWith(list);
  await decides().waitFor();
  assert.equal(await page.getByLabel('Workload labels', { exact: true }).isDisabled(), true);
  assert.equal(await action().isDisabled(), false);
  await planning(page, () => action().selectOption('warn'));
  assert.equal(await written(), `${list}action: "warn"\n`);
});
