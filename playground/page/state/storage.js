/** What the page keeps in the browser: the state as it is, and those that others took the place of. */

const NOW = 'kuma-workload-playground';
const ASIDE = 'kuma-workload-playground-aside';

/** So many states are put aside. */
export const MOST = 5;

/**
 * What becomes of what is kept when another state takes its place.
 *
 * @typedef {object} Place
 * @property {boolean} isTheirs whether somebody would miss it: it is put aside
 * @property {string | null} without what is kept now, and so is aside no longer, in JSON
 */

/**
 * Keeps the state. What it takes the place of is put aside first: if it cannot be, nothing changes, so that the
 * only copy of it stays. Of several pages that are open, the last that writes wins.
 *
 * @param {string} text the state in JSON, masked
 * @param {Place | null} place what it takes the place of; null if it is the same state, changed
 * @returns {{ sentence: string | null, dropped: number }} a sentence, if it cannot be kept; and how many of the
 *   oldest states had to go for it
 */
export function keep(text, place = null) {
  if (place === null) return { sentence: write(NOW, text), dropped: 0 };
  const before = raw(ASIDE) ?? '[]';
  const all = asides().filter((aside) => aside !== place.without);
  const now = keptText();
  if (place.isTheirs && now !== null) all.push(now);
  let some = all.slice(-MOST);
  for (;;) {
    const sentence = write(ASIDE, `[${some.join(',')}]`) ?? write(NOW, text);
    if (sentence === null) return { sentence, dropped: all.length - some.length };
    if (some.length <= 1) {
      // It was there, so there is room for it.
      write(ASIDE, before);
      return { sentence, dropped: 0 };
    }
    some = some.slice(1);
  }
}

/** @returns {string | null} the state that was kept, in JSON; null if there is none */
export function keptText() {
  return raw(NOW);
}

/** @returns {string[]} the states that others took the place of, in JSON, the newest last */
export function asides() {
  const found = parsed(raw(ASIDE));
  return Array.isArray(found) ? found.map((state) => JSON.stringify(state)) : [];
}

/**
 * @param {string | null} text a state in JSON
 * @returns {unknown} the state; null if there is none, or if it cannot be read
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
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

function raw(key) {
  try {
    return localStorage.getItem(key);
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
