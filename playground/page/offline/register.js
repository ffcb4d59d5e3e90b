/** Keeps the page for when there is no network, and says when there is a new version of it. */

import { notify } from '../notices.js';
import { serviceWorkerUrl } from '../trusted.js';

/** Registers the service worker, where there can be one. */
export async function keepOffline() {
  const workers = navigator.serviceWorker;
  if (!workers || !/^https?:$/.test(location.protocol)) return;
  // The first one takes over at once; only of a later one somebody must be asked.
  let hasOne = workers.controller !== null;
  workers.addEventListener('controllerchange', () => {
    if (hasOne) location.reload();
    hasOne = true;
  });
  try {
    const registration = await workers.register(serviceWorkerUrl(), { updateViaCache: 'none' });
    if (registration.waiting) offer(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing;
      worker.addEventListener('statechange', () => {
        if (worker.state === 'installed' && workers.controller) offer(worker);
      });
    });
  } catch {
    // Without it, the page works as long as there is a network.
  }
}

/** Removes the copy of the page, and what would make another. */
export async function forgetOffline() {
  const registrations = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  const own = registrations.filter(({ scope }) => location.href.startsWith(scope));
  await Promise.all(own.map((registration) => registration.unregister()));
  const names = (await globalThis.caches?.keys()) ?? [];
  const ours = names.filter((name) => name.startsWith('kuma-workload-playground-'));
  await Promise.all(ours.map((name) => caches.delete(name)));
}

function offer(worker) {
  notify('version', 'There is a new version of this page.', {
    'Reload with it': () => worker.postMessage('take over'),
  });
}
