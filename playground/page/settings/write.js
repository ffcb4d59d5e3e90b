/**
 * The settings' text, changed by the form: one setting, and nothing else. Comments, line ends, and whatever the form
 * does not know stay as they are.
 */

import { BYTE_ORDER_MARK, readMap } from './read.js';

/**
 * The text with another value of a setting.
 *
 * @param {string} text the text
 * @param {string} key the setting
 * @param {unknown} value its value; undefined takes the setting away
 * @returns {string | null} the new text; null if the text decides, and is not changed
 */
export function writeSetting(text, key, value) {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const changed = change(text.slice(mark.length), key, value);
  return changed === null ? null : mark + changed;
}

function change(text, key, value) {
  const before = readMap(text);
  const old = before?.settings.get(key);
  if (!before || old?.isLocked) return null;
  if (!old && value === undefined) return text;
  const changed = (before.brackets ? inBrackets : inLines)(text, before, key, value);
  return isOtherwiseSame(before, readMap(changed), key, value) ? changed : null;
}

/** Whether two readings differ in one setting alone: what is written is read once more, so that nothing is lost. */
function isOtherwiseSame(before, after, key, value) {
  if (!after) return false;
  const all = ({ settings }) =>
    new Map([...settings].map(([name, one]) => [name, JSON.stringify(one.value)]));
  const expected = all(before);
  if (value === undefined) expected.delete(key);
  else expected.set(key, JSON.stringify(value));
  const found = all(after);
  return found.size === expected.size && [...found].every(([name, one]) => expected.get(name) === one);
}

/** A map whose settings stand on lines of their own. */
function inLines(text, { settings }, key, value) {
  const old = settings.get(key);
  if (old && value !== undefined) return splice(text, old.colon, old.to, ` ${inline(value)}`);
  if (old) {
    const begin = lineOf(text, old.from);
    const [rest] = /^[^\n]*\n?/.exec(text.slice(old.to));
    return splice(text, begin, old.to + rest.length, '');
  }
  const [first] = settings.values();
  const indentation = first ? text.slice(lineOf(text, first.from), first.from) : '';
  const end = /\r?\n/.exec(text)?.[0] ?? '\n';
  const begin = text === '' || text.endsWith('\n') ? '' : end;
  return `${text}${begin}${indentation}${key}: ${inline(value)}${end}`;
}

/** A map between brackets, on one line. */
function inBrackets(text, { settings, brackets }, key, value) {
  const old = settings.get(key);
  if (old && value !== undefined) return splice(text, old.colon, old.to, ` ${inline(value)}`);
  const all = [...settings.values()];
  if (old) {
    const at = all.indexOf(old);
    // The comma after it goes with it, and where it is the last, the one before.
    if (at + 1 < all.length) return splice(text, old.from, all[at + 1].from, '');
    const after = /^[ \t]*,/.exec(text.slice(old.to, brackets.to))?.[0] ?? '';
    const from = at > 0 && after === '' ? all[at - 1].to : old.from;
    return splice(text, from, old.to + after.length, '');
  }
  // As in JSON, if it is JSON.
  const isJson = all.every(({ from }) => text[from] === '"');
  const entry = `${isJson ? JSON.stringify(key) : key}: ${inline(value)}`;
  const last = all.at(-1);
  return last
    ? splice(text, last.to, last.to, `, ${entry}`)
    : splice(text, brackets.from + 1, brackets.from + 1, entry);
}

function splice(text, from, to, written) {
  return text.slice(0, from) + written + text.slice(to);
}

/** Where the line begins. */
function lineOf(text, at) {
  return text.slice(0, at).lastIndexOf('\n') + 1;
}

/** A value on one line, as YAML and as JSON. */
function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  // What JSON takes as it is and YAML does not, or reads as the end of a line.
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (one) => {
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
