/**
 * Keeps the page's files for when there is no network: exactly those of this build, in a cache named by its hash.
 * It asks for nothing else, answers nothing else, and never another origin. The build gives BUILD, FILES, and
 * POLICY, with which it answers the page.
 */

/* global BUILD, FILES, POLICY */

const PREFIX = 'kuma-workload-playground-';
const CACHE = PREFIX + BUILD;
const base = new URL('./', self.location.href);
const urls = new Set(FILES.map((file) => new URL(file, base).href));
const page = new URL('index.html', base).href;

async function keepFiles() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...urls].map((url) => new Request(url, { cache: 'no-cache' })));
}

async function dropOthers() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(url) {
  const cache = await caches.open(CACHE);
  const found = (await cache.match(url)) ?? (await fetch(url));
  if (url !== page) return found;
  const headers = new Headers(found.headers);
  headers.set('Content-Security-Policy', POLICY);
  return new Response(found.body, { status: found.status, headers });
}

self.addEventListener('install', (event) => event.waitUntil(keepFiles()));

self.addEventListener('activate', (event) => event.waitUntil(dropOthers()));

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const address = new URL(url);
  address.search = '';
  address.hash = '';
  if (address.href === base.href) address.pathname += 'index.html';
  if (method === 'GET' && urls.has(address.href)) event.respondWith(answer(address.href));
});

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') self.skipWaiting();
});
