/** The only policy by which this page makes URLs of scripts: its own worker, and its own service worker. */

const SERVICE_WORKER = './service-worker.js';

const own = new Set([SERVICE_WORKER]);

const policy = globalThis.trustedTypes?.createPolicy('kuma-workload', {
  createScriptURL(url) {
    if (!own.has(url)) throw new TypeError('this page runs no script but its own');
    return url;
  },
});

/**
 * A URL of a script.
 *
 * @param {string} source the script
 * @returns {TrustedScriptURL | string} its URL
 */
export function scriptUrl(source) {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  own.add(url);
  return policy?.createScriptURL(url) ?? url;
}

/** @returns {TrustedScriptURL | string} the URL of the service worker */
export function serviceWorkerUrl() {
  return policy?.createScriptURL(SERVICE_WORKER) ?? SERVICE_WORKER;
}
