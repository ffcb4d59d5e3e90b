// The pictures in docs/playground: `node screenshots.mjs FOLDER OUT`, of the page in the folder.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { browse, open, planning, serve } from './tests/page/served.mjs';

const [folder, out] = process.argv.slice(2).map((path) => resolve(path));
mkdirSync(out, { recursive: true });

const PICTURES = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 800 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 800, why: true },
  { name: 'narrow', colorScheme: 'light', width: 320, height: 640 },
];

const server = await serve(folder);
const browser = await browse();
for (const { name, colorScheme, width, height, why } of PICTURES) {
  const page = await open(browser, server.url, {
    colorScheme,
    viewport: { width, height },
    reducedMotion: 'reduce',
  });
  await page.locator('#examples').focus();
  await page.locator('#examples option').nth(1).waitFor({ state: 'attached' });
  await planning(page, () => page.locator('#examples').selectOption({ label: 'All at once, on Kubernetes' }));
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.locator('h1').focus().catch(() => {});
  if (why) {
    const first = page.locator('details', { hasText: 'Why' }).first();
    await first.locator('summary').click();
    await first.locator('ol > li').first().waitFor();
    await first.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  }
  await page.screenshot({ path: join(out, `${name}.png`), scale: 'css' });
  await page.context().close();
}
await browser.close();
await server.close();
