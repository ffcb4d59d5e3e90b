// The examples: each is planned, each shows what its fixture says, and together they show every rule that can.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { examples } from '../../examples.mjs';
import { browser, field, hosted, open, planning, server, write } from './served.mjs';

const root = new URL('../../../', import.meta.url).pathname;

let page;

hosted(() => page);

/** Rules about a change, or about a cluster that does not answer: no plan of manifests has them. */
const NEVER_PLANNED = ['namespace-relabel', 'injection-off', 'cluster-question'];

/** The names of the admission rules. */
function rules() {
  const source = readFileSync(`${root}rulebook/src/admission/verdict.rs`, 'utf8');
  return [...source.matchAll(/=> "([a-z-]+)",/g)].map(([, name]) => name);
}

/** What the policy says of the fixture of an example, if it is of one. */
function expected(name) {
  const stem = name.toLowerCase().replaceAll(/[: ]+/g, '-');
  const path = `${root}e2e-tests/fixtures/${stem}.expected.json`;
  if (!existsSync(path)) return [];
  const { message, warnings } = JSON.parse(readFileSync(path, 'utf8'));
  return [message, ...warnings].filter(Boolean);
}

test('every example says what its fixture does, and what was there comes back', async () => {
  page = await open(browser, server.url);
  await planning(page, () => write(page, 'kind: Mine\n'));
  await page.locator('#examples').focus();
  const all = examples(root);
  await page.waitForFunction(
    (count) => document.querySelectorAll('#examples option').length > count,
    all.length,
  );
  const shown = new Set();
  for (const [index, { name }] of all.entries()) {
    await planning(page, () => page.locator('#examples').selectOption(String(index)));
    const text = await page.locator('#report').textContent();
    for (const rule of rules()) if (text.includes(rule)) shown.add(rule);
    // What the policy cannot read, the plan cannot either; it says so with the place.
    if (name.startsWith('A14')) continue;
    for (const sentence of expected(name)) assert.ok(text.includes(sentence), `${name}: ${sentence}`);
  }
  const missing = rules().filter((rule) => !shown.has(rule) && !NEVER_PLANNED.includes(rule));
  assert.deepEqual(missing, []);
  await planning(page, () => page.locator('#examples').selectOption('0'));
  await planning(page, () => write(page, ''));
  await page.getByRole('button', { name: 'Bring mine back' }).click();
  await page.locator('#notices').getByText('took the place').waitFor({ state: 'detached' });
  assert.notEqual(await field(page).textContent(), '');
});
