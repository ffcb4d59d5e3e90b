/**
 * The settings' text, changed by the form: key by key, so that comments and whatever the form does not know stay
 * as they are.
 */

import { readSettings } from './read.js';

/**
 * The text with another value of a setting.
 *
 * @param {string} text the text; readSettings() must know it
 * @param {string} key the setting
 * @param {unknown} value its value; undefined takes the setting away
 * @returns {string} the new text
 */
export function writeSetting(text, key, value) {
  const settings = readSettings(text);
  const end = /\r\n?|\n/.exec(text)?.[0] ?? '\n';
  if ([...settings.values()].some(({ isFlow }) => isFlow) || /^\s*\{\s*\}\s*$/.test(text)) {
    return writeAll(settings, key, value);
  }
  const line = value === undefined ? '' : `${key}: ${inline(value)}`;
  const old = settings.get(key);
  if (!old) {
    if (line === '') return text;
    const begin = text === '' || /[\r\n]$/.test(text) ? '' : end;
    return `${text}${begin}${line}${end}`;
  }
  if (line !== '') return text.slice(0, old.from) + line + text.slice(old.to);
  const rest = text.slice(old.to).replace(/^[ \t]*(#[^\r\n]*)?(\r\n?|\n)?/, '');
  return text.slice(0, old.from) + rest;
}

/** Settings between brackets are written anew: they have no comments that could be lost. */
function writeAll(settings, key, value) {
  const all = Object.fromEntries([...settings].map(([name, { value: old }]) => [name, old]));
  all[key] = value;
  return `${JSON.stringify(all, null, 2)}\n`;
}

/** A value on one line, as YAML and as JSON. */
function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  return JSON.stringify(value);
}
