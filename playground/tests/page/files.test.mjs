// Odd files on the page: their bytes stay what they are.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { browser, done, field, hosted, open, planning, server } from './served.mjs';

let page;

hosted(() => page);

/** Drops a file on the page, and waits for the plan. */
async function drop(name, bytes) {
  page = await open(browser, server.url);
  await planning(page, () =>
    page.evaluate(
      ([named, content]) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([Uint8Array.from(content)], named));
        const editor = document.querySelector('#editor').shadowRoot.querySelector('.cm-content');
        const event = new DragEvent('drop', {
          dataTransfer,
          bubbles: true,
          cancelable: true,
          composed: true,
        });
        editor.dispatchEvent(event);
      },
      [name, [...bytes]],
    ),
  );
}

/** The bytes of the document that is shown, as they are saved. */
async function saved() {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save', exact: true }).click(),
  ]);
  return readFile(await download.path());
}

const texts = {
  Windows: '\u{feff}apiVersion: v1\r\nkind: Pod\r\n',
  'mixed ends': 'a: 1\r\nb: 2\nc: 3\rd: 4',
  'the old Mac': 'a: 1\rb: 2\r',
};

for (const [name, text] of Object.entries(texts)) {
  test(`${name}: saved as it was, and edited in its own way`, async () => {
    await drop('odd.yaml', Buffer.from(text));
    assert.equal((await saved()).toString(), text);
    await field(page).press('Control+Home');
    await planning(page, () => page.keyboard.type('#\n'));
    const mark = text.startsWith('\u{feff}') ? '\u{feff}' : '';
    const [end] = /\r\n|\r/.exec(text);
    assert.equal((await saved()).toString(), `${mark}#${end}${text.slice(mark.length)}`);
  });
}

test('a file that is no text is planned by its bytes, and copied to be changed', async () => {
  const bytes = Buffer.from([...Buffer.from('a: 1\nb: "'), 0xe4, 0xe4, 0x22, 0x0a]);
  await drop('latin.yaml', bytes);
  await page.locator('#report').getByText('latin.yaml:2:5').waitFor();
  await page.getByText('this is no UTF-8 text').first().waitFor();
  await field(page).press('Control+Home');
  await page.keyboard.type('x');
  assert.deepEqual(await saved(), bytes);
  await planning(page, () => page.getByRole('button', { name: 'Make a copy' }).click());
  assert.equal((await saved()).toString(), 'a: 1\nb: "\u{fffd}\u{fffd}"\n');
  await field(page).focus();
  await planning(page, () => page.keyboard.type('x'));
});

test('hostile names stay names, and hide nothing', async () => {
  const name = '<script>alert(1)<\u{2044}script>\u{202e}\u{200b}\n.yaml';
  await drop(name, Buffer.from('a: ['));
  const seen = '<script>alert(1)<\u{2044}script>\u{fffd}\u{fffd}\u{fffd}.yaml';
  assert.equal(await page.getByRole('tab').nth(2).textContent(), seen);
  assert.equal(await field(page).getAttribute('aria-label'), `Document ${seen}`);
  assert.equal(await page.locator('script').count(), 1);
});

test('nothing at all, and only zeros', async () => {
  await drop('empty.yaml', []);
  assert.equal((await saved()).length, 0);
  await done(page);
  await drop('zeros.yaml', new Uint8Array(4096));
  assert.equal((await saved()).length, 4096);
});
