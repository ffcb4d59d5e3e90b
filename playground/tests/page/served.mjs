// The page as it is served, in Chromium: what every test of the page begins with.

import { deepEqual } from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { chromium } from 'playwright-core';
import { serveFolder } from '../../static.mjs';

/** Where `make playground` builds into. */
export const DIST =
  process.env.PLAYGROUND_DIST ?? new URL('../../../dist/playground', import.meta.url).pathname;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Serves a folder on the loopback. The page's policy is its own: the server says none.
 *
 * @param {string} [folder] the folder
 * @param {(path: string) => Promise<void> | void} [before] is awaited before each answer
 * @returns {Promise<{ url: string, asked: string[], close: () => Promise<void> }>} its address, and what was asked
 */
export async function serve(folder = DIST, before = () => {}) {
  const asked = [];
  const server = await serveFolder(folder, 0, (path) => {
    asked.push(path);
    return before(path);
  });
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}/`, asked, close };
}

/**
 * Chromium.
 *
 * @returns {Promise<import('playwright-core').Browser>} it
 */
export function browse() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/** The page's server, and the browser, of tests that are hosted. */
export let server;
export let browser;

/**
 * Serves the page and begins a browser before the tests of a file, and ends both after them. After each test, its page
 * is done.
 *
 * @param {() => import('playwright-core').Page & { complaints: string[] }} page the page of the last test
 */
export function hosted(page) {
  before(async () => {
    server = await serve();
    browser = await browse();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  afterEach(() => done(page()));
}

/**
 * An empty page of a browser in which nothing is kept yet. What the page complains of is collected.
 *
 * @param {import('playwright-core').Browser} browser the browser
 * @param {object} [options] options of its context
 * @returns {Promise<import('playwright-core').Page & { complaints: string[] }>} the page
 */
export async function blank(browser, options = {}) {
  const context = await browser.newContext(options);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  return another(context);
}

/**
 * Another page of the same browser, with the same storage.
 *
 * @param {import('playwright-core').BrowserContext} context where the first page is
 * @returns {Promise<import('playwright-core').Page & { complaints: string[] }>} the page
 */
export async function another(context) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(error.message));
  return page;
}

/**
 * The page, once its first plan is shown.
 *
 * @param {import('playwright-core').Browser} browser the browser
 * @param {string} url its address
 * @param {object} [options] options of its context
 * @returns {Promise<import('playwright-core').Page & { complaints: string[] }>} the page
 */
export async function open(browser, url, options = {}) {
  const page = await blank(browser, options);
  await page.goto(url);
  await planned(page);
  return page;
}

/**
 * Closes a page, once a test is done with it: it has complained of nothing.
 *
 * @param {import('playwright-core').Page & { complaints: string[] }} page the page
 */
export async function done(page) {
  await page?.context().close();
  deepEqual(page?.complaints ?? [], []);
}

/**
 * Waits for the plan after so many.
 *
 * @param {import('playwright-core').Page} page the page
 * @param {number} [after] how many plans there were
 */
export async function planned(page, after = 0) {
  await page.waitForFunction((count) => {
    const { state, plan } = document.documentElement.dataset;
    return state === 'ready' && Number(plan) > count;
  }, after);
}

/**
 * Does something, and waits for the plan that comes of it.
 *
 * @param {import('playwright-core').Page} page the page
 * @param {() => Promise<unknown>} act does it
 */
export async function planning(page, act) {
  const count = await page.evaluate(() => Number(document.documentElement.dataset.plan));
  await act();
  await planned(page, count);
}

/** The editor's text field. */
export function field(page) {
  return page.locator('#editor .cm-content');
}

/**
 * Puts a text in the place of that of the document that is shown, as a paste does.
 *
 * @param {import('playwright-core').Page} page the page
 * @param {string} text the text
 */
export async function write(page, text) {
  await field(page).focus();
  await page.keyboard.press('Control+a');
  if (text === '') await page.keyboard.press('Delete');
  else await page.keyboard.insertText(text);
}
