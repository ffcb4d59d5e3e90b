/** What the page keeps in the browser: the state as it is, and those that links took the place of. */

const NOW = 'kuma-workload-playground';
const ASIDE = 'kuma-workload-playground-aside';

/** So many states are put aside. */
const MOST = 5;

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

/** The state that is kept is put aside, since what came with a link takes its place. */
export function putAside() {
  const now = kept();
  if (now !== null) write(ASIDE, JSON.stringify([...asides(), now].slice(-MOST)));
}

/**
 * Takes back what was put aside last. What is kept now is put aside for it, so that nothing is lost.
 *
 * @returns {unknown} the state; null if there is none
 */
export function takeBack() {
  const all = asides();
  const last = all.pop() ?? null;
  const now = kept();
  if (last !== null) write(ASIDE, JSON.stringify(now === null ? all : [now, ...all]));
  return last;
}

/** @returns {unknown[]} the states that links took the place of, the newest last */
export function asides() {
  const found = read(ASIDE);
  return Array.isArray(found) ? found : [];
}

/** Removes all that this page has kept. */
export function clear() {
  try {
    localStorage.removeItem(NOW);
    localStorage.removeItem(ASIDE);
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
