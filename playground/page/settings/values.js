/** What keys and values are in the text: those that the form can show. */

import { DEEPEST } from './bounds.js';

const PASSED_OVER = new Set(['Comment', '{', '}', '[', ']', ',', ':', '-']);

/**
 * The key and the value of a pair.
 *
 * @param {import('@lezer/common').SyntaxNode} pair the pair
 * @param {string} text the text in which it is
 * @param {number} [depth] how many lists and maps it is within
 * @returns {[string, unknown] | undefined} its key and value, which is null where there is none; undefined if the
 *   form cannot show them
 */
export function entryOf(pair, text, depth = 1) {
  const keys = pair.name === 'Pair' ? pair.getChildren('Key').flatMap(children) : [];
  const key = keys.length === 1 ? scalar(keys[0], text) : undefined;
  if (typeof key !== 'string') return undefined;
  if (isNotSet(pair)) return [key, null];
  const [node, ...others] = valuesOf(pair);
  const value = others.length === 0 && isInPlace(pair, node, text) ? valueIn(node, text, depth) : undefined;
  return value === undefined ? undefined : [key, value];
}

/**
 * Whether a pair has a key alone.
 *
 * @param {import('@lezer/common').SyntaxNode} pair the pair
 * @returns {boolean} whether it has
 */
export function isNotSet(pair) {
  return valuesOf(pair).length === 0;
}

function valuesOf(pair) {
  return children(pair).filter(({ name }) => name !== 'Key');
}

/**
 * Whether a value stands where a person writes it: a list or map of lines below its key, all else beside it. The
 * parser takes `a: b: c` for a map within a map, and YAML does not.
 */
function isInPlace(pair, node, text) {
  const isOfLines = node.name === 'BlockMapping' || node.name === 'BlockSequence';
  const first = isOfLines ? (node.getChild('Pair') ?? node.getChild('-')) : node;
  return text.slice(pair.from, first.from).includes('\n') === isOfLines;
}

/** What stands in a node, but for comments and punctuation. */
function children(node) {
  const found = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (!PASSED_OVER.has(child.name)) found.push(child);
  }
  return found;
}

function valueIn(node, text, depth) {
  const within = VALUES[node.name] ?? scalar;
  return within !== scalar && depth === DEEPEST ? undefined : within(node, text, depth + 1);
}

function list(node, text, depth) {
  const items = [];
  for (const child of children(node)) {
    const [inner, ...more] = children(child);
    const isItem = child.name === 'Item' && inner && more.length === 0;
    const value = isItem ? valueIn(inner, text, depth) : undefined;
    if (value === undefined) return undefined;
    items.push(value);
  }
  return items;
}

function map(node, text, depth) {
  const entries = [];
  for (const child of children(node)) {
    const entry = entryOf(child, text, depth);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return Object.fromEntries(entries);
}

const VALUES = { FlowSequence: list, BlockSequence: list, FlowMapping: map, BlockMapping: map };

/** The words that kubectl reads as booleans, as YAML 1.1 has them. */
const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

function scalar(node, text) {
  const written = text.slice(node.from, node.to);
  if (/[\r\n]/.test(written)) return undefined;
  if (node.name === 'QuotedLiteral') return quoted(written);
  if (node.name !== 'Literal') return undefined;
  if (/^(~|null|Null|NULL)$/.test(written)) return null;
  if (TRUE.test(written)) return true;
  if (FALSE.test(written)) return false;
  // What begins like a number may be one, or a date.
  return /^([-+.]|\d)/.test(written) ? undefined : written;
}

function quoted(written) {
  if (written.startsWith("'")) return written.slice(1, -1).replaceAll("''", "'");
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}
