import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { HOSTILE, hostile, many, pod, report, split } from '../report-sample.mjs';
import { start } from './report/server.mjs';

let browser;
let page;

before(async () => {
  browser = await start();
});

after(() => browser.close());

afterEach(async () => {
  assert.deepEqual(await page.evaluate(() => window.harness.violations), []);
  assert.deepEqual(page.errors, []);
  await page.close();
});

/** A page with a report in it. */
async function shown(given, options) {
  page = await browser.page(options);
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(error.message));
  page.on('dialog', (dialog) => page.errors.push(`a dialog: ${dialog.message()}`));
  await show(given);
  return page;
}

function show(given, documents) {
  return page.evaluate(([next, names]) => window.harness.show(next, names), [given, documents]);
}

function calls() {
  return page.evaluate(() => window.harness.calls);
}

/** Names an element, to see later whether it is the same. */
function keep(selector) {
  return page.locator(selector).evaluateAll((all) => {
    for (const [index, one] of all.entries()) one.kept = index;
  });
}

function kept(selector) {
  return page.locator(selector).evaluateAll((all) => all.map((one) => one.kept ?? null));
}

/** The row of a Pod. */
function podRow(name) {
  return page.getByRole('table', { name: 'Pods' }).getByRole('row', { name });
}

/** The same report, with walks. */
function walked(given, message = 'it was injected') {
  const why = [
    { rule: 'I1', outcome: 'fact', message },
    { rule: 'A5', outcome: 'rejects', message: 'it may not' },
  ];
  return { ...given, pods: given.pods.map((one) => ({ ...one, why })) };
}

test('everything in the report is on the page', async () => {
  await shown(split());
  assert.equal(await page.locator('.report-summary').textContent(), '1 error, no warnings, 1 note, 1 fault');
  assert.equal(await page.locator('.report-summary').getAttribute('role'), 'status');
  const findings = page.locator('.report-finding');
  assert.equal(await findings.count(), 3);
  assert.match(await findings.nth(0).textContent(), /fault.*broken\.yaml:1:4.*this is no YAML/);
  assert.match(await findings.nth(1).textContent(), /error.*conflict.*shop\.yaml:3:1.*What to do: move Pods/);
  const headings = await page.locator('section:visible h3').allTextContents();
  assert.deepEqual(headings, [
    'Findings 3',
    'Picture',
    'Namespaces 1',
    'Workloads 1',
    'Pods 4',
    'Skipped kinds 1',
  ]);
  const refused = podRow('web-2');
  await refused.getByText('rejected', { exact: true }).waitFor();
  assert.match(await refused.textContent(), /cannot manually set kuma\.io\/workload label on Pod/);
  assert.match(await refused.textContent(), /spiffe:\/\/default\/ns\/shop\/workload\/web-2/);
  assert.match(
    await page.getByRole('table', { name: 'Namespaces' }).textContent(),
    /Pod web-1 \(1 Pod\) of B ?payments/,
  );
});

test('Universal has its tables', async () => {
  const workload = { name: 'orders', source: 'tag' };
  const dataplanes = [{ mesh: 'default', name: 'orders-1', workload }];
  const workloads = [{ mesh: 'default', name: 'orders', action: 'create', dataplanes: 7 }];
  await shown(report({ universal: { dataplanes, workloads } }));
  assert.match(await page.getByRole('row', { name: 'orders-1' }).textContent(), /default.*orders.*tag/);
  assert.match(
    await page.getByRole('table', { name: 'Universal Workloads' }).textContent(),
    /orders.*create.*7.*none/,
  );
});

test('a place opens, but only in a document that is there', async () => {
  await shown(split());
  await page.getByRole('button', { name: 'Go to broken.yaml:1:4' }).click();
  assert.deepEqual((await calls()).opened, [{ file: 'broken.yaml', line: 1, column: 4 }]);
  await show(split(), { names: ['shop.yaml'] });
  assert.equal(await page.getByRole('button', { name: 'Go to broken.yaml:1:4' }).count(), 0);
  assert.ok(await page.getByRole('button', { name: 'Go to shop.yaml:9:1' }).count());
});

test('a code explains itself, and the rules that it names', async () => {
  await shown(split());
  const button = page.getByRole('button', { name: 'Explain conflict' });
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'conflict' });
  await dialog.getByText('What conflict says.').waitFor();
  assert.match(await dialog.textContent(), /What to do: Mend it\./);
  await dialog.getByRole('button', { name: 'A1', exact: true }).click();
  await page.getByRole('dialog', { name: 'A1' }).getByText('A Pod with the label is refused.').waitFor();
  const link = page.getByRole('link', { name: 'In the documentation' });
  assert.match(await link.getAttribute('href'), /^https:.*\/rules\.html#admission-a$/);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.ok(await button.evaluate((one) => one === document.activeElement), 'the focus is back');
});

test('an explanation that does not come says so', async () => {
  const given = split();
  given.findings[0].code = 'broken';
  await shown(given);
  await page.getByRole('button', { name: 'Explain broken' }).click();
  await page.getByRole('alert').getByText('there is no rule "broken"').waitFor();
});

test('the walk is asked for when it is opened, and again with the next report', async () => {
  await shown(walked(split()));
  assert.equal((await calls()).whys, 0);
  const row = podRow('web-1');
  await row.getByText('Why').click();
  await row.getByText('it was injected').waitFor();
  assert.equal(await row.locator('ol > li').count(), 2);
  assert.match(await row.locator('ol > li').nth(1).textContent(), /A5rejectsit may not/);
  await podRow('web-2').getByText('Why').click();
  await podRow('web-2').getByText('it may not').waitFor();
  assert.equal((await calls()).whys, 1, 'one question answers all');
  await show(walked(split(), 'it names a mesh'));
  await row.getByText('it names a mesh').waitFor();
  await row.getByRole('button', { name: 'Explain A5' }).click();
  assert.deepEqual((await calls()).explained, ['A5']);
});

test('rows that did not change are the same elements, with what is open in them', async () => {
  await shown(walked(split()));
  const row = podRow('web-1');
  await row.getByText('Why').click();
  await row.getByText('it was injected').waitFor();
  await keep('.report-pods tbody tr');
  await keep('.report-pods tbody td > div');
  const next = walked(split());
  next.pods[2].reason = 'it was injected, in other words';
  next.pods.unshift(walked(report({ pods: [pod('another')] })).pods[0]);
  await show(next);
  assert.deepEqual(await kept('.report-pods tbody tr'), [null, 0, 1, 2, 3]);
  assert.ok(await row.locator('details').evaluate((details) => details.open));
  assert.match(await row.textContent(), /in other words/);
});

test('the focus stays where it is, on the same row and control', async () => {
  await shown(split());
  const button = podRow('web-1').getByRole('button', { name: /^Go to/ });
  await button.focus();
  const focused = () =>
    page.evaluate(() => [
      document.activeElement.tagName,
      document.activeElement.closest('tr')?.textContent.slice(0, 5),
    ]);
  const next = split();
  next.pods.reverse();
  await show(next);
  assert.deepEqual(await focused(), ['BUTTON', 'web-1'], 'the row moved');
  await page.getByRole('button', { name: 'Explain conflict' }).focus();
  const other = split();
  other.findings[0].message = 'in other words';
  await show(other);
  const control = await page.evaluate(() => document.activeElement.dataset.control);
  assert.equal(control, 'code conflict', 'the row was drawn anew');
  await show(report({ pods: [pod('web-0')] }));
  const heading = await page.evaluate(() => document.activeElement.textContent);
  assert.equal(heading, 'Picture', 'its section is gone');
});

test('the filter keeps what has the text, and what is as grave', async () => {
  await shown(split());
  await page.getByLabel('Filter by name').fill('WEB-2');
  assert.deepEqual(await page.locator('.report-pods tbody th .report-name').first().textContent(), 'web-2');
  assert.match(await page.locator('.report-found').textContent(), /^no findings and 1 Pod found$/);
  assert.match(await page.getByRole('heading', { name: /^Pods/ }).textContent(), /1 of 4/);
  await page.getByLabel('Filter by name').fill('');
  await page.getByLabel('Findings and Pods').selectOption('error');
  assert.equal(await page.locator('.report-finding').count(), 2);
  assert.equal(await page.locator('.report-pods tbody tr').count(), 1);
  await page.getByLabel('Findings and Pods').selectOption('');
  assert.equal(await page.locator('.report-pods tbody tr').count(), 4);
  assert.equal(await page.locator('.report-found').textContent(), '');
});

test('the picture says what it is, and the list the same', async () => {
  await shown(split());
  const svg = page.getByRole('img', { name: 'Namespaces, Workloads and Pods by mesh' });
  await svg.waitFor();
  assert.match(await svg.textContent(), /shop.*namespace, split.*web.*conflict.*to move/);
  await page.getByText('As a list', { exact: true }).click();
  const list = await page.locator('.report-list').textContent();
  assert.match(list, /namespace shop, split: Adefaultworkload web: conflict/);
  assert.match(list, /Adefault: 1 Pod, 1 Pod \(rejected\), 1 Pod template/);
  assert.match(list, /Bpayments: 1 Pod, to moveto move: Pod web-1 of payments/);
  await svg.evaluate((one) => (one.kept = 1));
  await show(split());
  assert.deepEqual(await kept('.report-svg'), [1], 'the same picture is not drawn again');
  const next = split();
  next.pods.push(pod('web-9'));
  await show(next);
  // Once the changes pause.
  await page.waitForFunction(() => document.querySelector('.report-svg').kept === undefined);
});

test('the list names some of thousands to move', async () => {
  const given = split();
  const moves = Array.from({ length: 3000 }, (_, index) => ({
    kind: 'Pod',
    name: `w-${index}`,
    mesh: 'payments',
    pods: 1,
  }));
  given.namespaces[0].moves = moves;
  await shown(given);
  await page.getByText('As a list', { exact: true }).click();
  await page.locator('.report-list').getByText('to move: +2,980').waitFor();
  assert.equal(await page.locator('.report-list bdi', { hasText: /^w-/ }).count(), 20);
});

test('a hostile name is a name everywhere', async () => {
  const given = walked(hostile(), HOSTILE);
  await shown(given);
  await page.locator('.report-pods summary').click();
  await page.locator('.report-step').first().waitFor();
  await page.getByText('As a list', { exact: true }).click();
  const found = await page.evaluate(() => ({
    elements: document.querySelectorAll('#report :is(img, script, iframe, object, a, b)').length,
    handlers: [...document.querySelectorAll('#report *')].filter((one) => one.hasAttribute('onerror')).length,
    text: document.querySelector('#report').textContent,
  }));
  assert.equal(found.elements, 0);
  assert.equal(found.handlers, 0);
  for (const hidden of ['\u202E', '\u0007', '\n#']) assert.ok(!found.text.includes(hidden));
  assert.ok(found.text.split('<img src=x onerror=alert(1)>').length > 20);
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [320, 1200]) {
    test(`axe finds nothing: ${colorScheme}, ${width} wide`, async () => {
      // Tall enough for all of it, since what is out of sight is not drawn.
      await shown(walked(split()), { colorScheme, viewport: { width, height: 6000 } });
      await page.locator('.report-pods summary').first().click();
      await page.locator('.report-step').first().waitFor();
      await page.getByText('As a list', { exact: true }).click();
      await clean();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
      await page.getByRole('button', { name: 'Explain conflict' }).click();
      await page.getByText('What conflict says.').waitFor();
      await clean();
    });
  }
}

test('a long name breaks, and makes neither the page nor a table wider than it is', async () => {
  await shown(hostile(), { viewport: { width: 320, height: 6000 } });
  const name = 'a'.repeat(300);
  const long = split();
  for (const one of long.pods) one.name = one.workload.name = one.mesh.name = one.place.file = name;
  for (const one of long.findings) one.message = one.place.file = name;
  await show(long);
  const wide = await page.evaluate(() =>
    [
      document.documentElement,
      ...document.querySelectorAll('#report, #report section, .report-frame, .report-finding'),
    ]
      .filter((one) => one.scrollWidth > one.clientWidth)
      .map((one) => one.className || one.tagName),
  );
  assert.deepEqual(wide, []);
});

test('the keyboard reaches every control, in order', async () => {
  await shown(walked(split()));
  const reached = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const { activeElement: active } = document;
      return active === document.body ? null : active.id || active.dataset.control || active.textContent;
    });
    if (name === null) break;
    reached.push(name);
  }
  const all = await page.locator('#report :is(button, summary, input, select):visible').count();
  assert.equal(reached.length, all);
  assert.deepEqual(reached.slice(0, 4), [
    'report-filter',
    'report-least',
    'place broken.yaml:1:4',
    'code conflict',
  ]);
});

test('10,000 Pods: the first rows, and more when asked', async () => {
  const given = many(10_000);
  await shown(report());
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    times.push((await show(given)).laidOut);
    if (round < 4) await show(report());
  }
  assert.equal(await page.locator('.report-pods tbody tr').count(), 200);
  const more = page
    .locator('section', { has: page.locator('.report-pods') })
    .getByRole('button', { name: /^Show/ });
  assert.equal(await more.textContent(), 'Show 200 more of 9,800');
  await more.focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.report-pods tbody tr').count(), 400);
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^web-200/);
  // What else runs on the machine slows some rounds down, but hardly all.
  assert.ok(Math.min(...times) < 300, `it took ${times.map((time) => time.toFixed())} ms`);
});

test('a namespace with thousands to move: the first, and more when asked', async () => {
  const given = report(split());
  const [namespace] = given.namespaces;
  namespace.moves = Array.from({ length: 3000 }, (_, at) => ({ ...namespace.moves[0], name: `pod-${at}` }));
  await shown(given);
  const moves = page.locator('.report-namespaces li', { hasText: /pod-\d/ });
  assert.equal(await moves.count(), 20);
  await page.getByRole('button', { name: '2,980 more' }).click();
  assert.equal(await moves.count(), 3000);
  assert.match(await page.evaluate(() => document.activeElement.textContent), /pod-20\b/);
});

test('one Pod of 200 that changes is one cell that changes, and costs little', async () => {
  await shown(many(200));
  await page.locator('#report-picture').scrollIntoViewIfNeeded();
  await page.locator('.report-svg').waitFor();
  await page.evaluate(() => {
    window.changed = [];
    const seen = (records) =>
      window.changed.push(...records.map(({ target }) => target.parentElement.dataset.label));
    new MutationObserver(seen).observe(document.querySelector('#report'), {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
  });
  const times = [];
  for (let round = 0; round < 30; round += 1) {
    const given = many(200);
    given.pods[100].reason = `round ${round}`;
    times.push((await show(given)).drawn);
  }
  assert.deepEqual(await page.evaluate(() => window.changed), new Array(30).fill('Mesh'));
  assert.ok(Math.min(...times) < 3, `it took ${times.map((time) => time.toFixed(1))} ms`);
});

/** Neither axe's rules nor its best practices are broken. */
async function clean() {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => [id, nodes.map((node) => node.target.join(' ')).slice(0, 5)]),
    [],
  );
}
