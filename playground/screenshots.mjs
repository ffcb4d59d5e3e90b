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

const { url, close } = await serve(folder);
for (const { name, colorScheme, width, height, why } of PICTURES) {
  const browser = await browse({ colorScheme, viewport: { width, height }, reducedMotion: 'reduce' });
  const page = await open(browser.context, url);
  await planning(page, () =>
    page.getByLabel('Examples').selectOption({ label: 'All at once, on Kubernetes' }),
  );
  if (why) {
    const first = page.locator('details', { hasText: 'Why' }).first();
    await first.locator('summary').click();
    await first.locator('ol > li').first().waitFor();
    await first.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  }
  await page.screenshot({ path: join(out, `${name}.png`), scale: 'css' });
  await browser.close();
}
await close();
