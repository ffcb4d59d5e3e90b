/** Keeps the page for when there is no network, and says when there is a new version of it. */

import { notify } from '../notices.js';
import { serviceWorkerUrl } from '../trusted.js';

/**
 * Registers the service worker, where there can be one.
 *
 * @param {() => Promise<void>} keep keeps what is typed, before the page is loaded anew
 */
export async function keepOffline(keep) {
  if (!/^https?:$/.test(location.protocol)) return;
  try {
    await register(navigator.serviceWorker, keep);
  } catch {
    // Without it, as in a frame without an origin, the page works as long as there is a network.
  }
}

async function register(workers, keep) {
  const offer = (worker) =>
    notify('version', 'There is a new version of this page.', {
      'Reload with it': async () => {
        await keep();
        // Only where it was asked for: other pages that are open go on with what they have.
        workers.addEventListener('controllerchange', () => location.reload());
        worker.postMessage('take over');
      },
    });
  const registration = await workers.register(serviceWorkerUrl(), { updateViaCache: 'none' });
  if (registration.waiting) offer(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing;
    worker.addEventListener('statechange', () => {
      if (worker.state === 'installed' && workers.controller) offer(worker);
    });
  });
}

/** Removes the copy of the page, and what would make another. */
export async function forgetOffline() {
  try {
    await removeAll();
  } catch {
    // Where there can be no copy, there is none.
  }
}

async function removeAll() {
  const registrations = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  const own = registrations.filter(({ scope }) => location.href.startsWith(scope));
  await Promise.all(own.map((registration) => registration.unregister()));
  const names = (await globalThis.caches?.keys()) ?? [];
  const ours = names.filter((name) => name.startsWith('kuma-workload-playground-'));
  await Promise.all(ours.map((name) => caches.delete(name)));
}
