/** What the page keeps in the browser: the state as it is, and the one that a link took the place of. */

const NOW = 'kuma-workload-playground';
const BEFORE = 'kuma-workload-playground-before';

/**
 * Keeps the state. Of several pages that are open, the last that writes wins.
 *
 * @param {object} snapshot the state, masked
 * @returns {string | null} a sentence, if it cannot be kept
 */
export function keep(snapshot) {
  return write(NOW, JSON.stringify(snapshot));
}

/** @returns {unknown} the state that was kept; null if there is none */
export function kept() {
  return read(NOW);
}

/** The state that is kept is put aside, since a link takes its place. */
export function putAside() {
  try {
    const now = localStorage.getItem(NOW);
    if (now !== null) write(BEFORE, now);
  } catch {
    // Without storage, nothing was kept that could be lost.
  }
}

/** @returns {unknown} the state that a link took the place of; null if there is none */
export function asideOf() {
  return read(BEFORE);
}

/** Removes all that this page has kept. */
export function clear() {
  try {
    localStorage.removeItem(NOW);
    localStorage.removeItem(BEFORE);
  } catch {
    // Without storage, there is nothing to remove.
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, text) {
  try {
    localStorage.setItem(key, text);
    return null;
  } catch (error) {
    return error.name === 'QuotaExceededError'
      ? 'This is too much for the browser’s storage: it is gone when the page is closed. Save it as files.'
      : 'The browser lets this page keep nothing: what you typed is gone when the page is closed.';
  }
}
