/** Keeps the page for when there is no network, and says when there is a new version of it. */

import { notify } from '../notices.js';
import { serviceWorkerUrl } from '../trusted.js';

/**
 * Registers the service worker, where there can be one.
 *
 * @param {() => Promise<void>} keep keeps what is typed, before the page is loaded anew
 */
export async function keepOffline(keep) {
  const workers = navigator.serviceWorker;
  if (!workers || !/^https?:$/.test(location.protocol)) return;
  const offer = (worker) =>
    notify('version', 'There is a new version of this page.', {
      'Reload with it': async () => {
        await keep();
        // Only where it was asked for: other pages that are open go on with what they have.
        workers.addEventListener('controllerchange', () => location.reload());
        worker.postMessage('take over');
      },
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
