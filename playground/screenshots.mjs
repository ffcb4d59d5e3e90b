// The pictures in docs/images/playground: `node screenshots.mjs FOLDER OUT`, of the page in the folder.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { browse, open, planning, serve } from './tests/page/served.mjs';

const [folder, out] = process.argv.slice(2).map((path) => resolve(path));
mkdirSync(out, { recursive: true });

const PICTURES = [
  { name: 'light', colorScheme: 'light', width: 1000, height: 660 },
  { name: 'dark', colorScheme: 'dark', width: 1000, height: 660, shows: 'why' },
  { name: 'picture', colorScheme: 'light', width: 1600, height: 1000, shows: 'picture' },
  { name: 'narrow', colorScheme: 'light', width: 320, height: 640 },
];

/** Opens the first walk through the rules, in the middle of the page. */
async function openWhy(page) {
  const first = page.locator('details', { hasText: 'Why' }).first();
  await first.locator('summary').click();
  await first.locator('ol > li').first().waitFor();
  await first.evaluate((element) => element.scrollIntoView({ block: 'center' }));
}

const server = await serve(folder);
const browser = await browse();
for (const { name, colorScheme, width, height, shows } of PICTURES) {
  const page = await open(browser, server.url, {
    colorScheme,
    viewport: { width, height },
    reducedMotion: 'reduce',
  });
  await page.locator('#examples').focus();
  await page.locator('#examples option').nth(1).waitFor({ state: 'attached' });
  await planning(page, () => page.locator('#examples').selectOption({ label: 'All at once, on Kubernetes' }));
  await page.getByRole('button', { name: 'Dismiss' }).click();
  if (shows === 'why') await openWhy(page);
  const shown = shows === 'picture' ? page.getByRole('region', { name: 'Picture' }) : page;
  await shown.screenshot({ path: join(out, `${name}.png`), scale: 'css' });
  await page.context().close();
}
await browser.close();
await server.close();
