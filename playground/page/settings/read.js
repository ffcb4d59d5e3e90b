/**
 * The settings of a text, as far as the form can show them. The parser is that of the editor's colours: what the
 * policy reads in the text is said by the plan, not here.
 */

import { yamlLanguage } from '@codemirror/lang-yaml';

const PASSED_OVER = new Set(['Comment', '{', '}', '[', ']', ',', ':', '-']);

/**
 * The settings in a text, as far as the form can show them.
 *
 * @param {string} text the text
 * @returns {Map<string, { value: unknown, from: number, to: number }> | null} the values by their keys, and where
 *   each key and value stand; null if the text decides
 */
export function readSettings(text) {
  try {
    return pairsOf(text);
  } catch (error) {
    // It is nested deeper than anybody would show in a form.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function pairsOf(text) {
  const found = new Map();
  const [document, ...others] = childrenOf(yamlLanguage.parser.parse(text).topNode);
  if (!document) return found;
  if (others.length > 0) return null;
  const [body, ...more] = childrenOf(document).filter((node) => node.name !== 'DirectiveEnd');
  if (!body) return found;
  const isMap = body.name === 'BlockMapping' || body.name === 'FlowMapping';
  if (!isMap || more.length > 0) return null;
  for (const pair of childrenOf(body)) {
    const key = keyOf(pair, text);
    const value = key === undefined ? undefined : valueOfKey(pair, text);
    if (value === undefined || found.has(key)) return null;
    found.set(key, { value, from: pair.from, to: pair.to, isFlow: body.name === 'FlowMapping' });
  }
  return found;
}

/**
 * The settings as one object.
 *
 * @param {string} text the text
 * @returns {Record<string, unknown> | null} the settings; null if the text decides
 */
export function settingsOf(text) {
  const settings = readSettings(text);
  return settings && Object.fromEntries([...settings].map(([key, { value }]) => [key, value]));
}

/** What stands in a node, but for comments and punctuation. */
function childrenOf(node) {
  const children = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (!PASSED_OVER.has(child.name)) children.push(child);
  }
  return children;
}

function keyOf(pair, text) {
  const node = pair.getChild('Key')?.firstChild;
  const value = node && scalarOf(node, text);
  return typeof value === 'string' ? value : undefined;
}

/** The value of a pair; undefined if the form cannot show it. */
function valueOfKey(pair, text) {
  const nodes = childrenOf(pair).filter((node) => node.name !== 'Key');
  if (nodes.length === 0) return null;
  return nodes.length === 1 ? nodeOf(nodes[0], text) : undefined;
}

function nodeOf(node, text) {
  if (node.name === 'FlowSequence' || node.name === 'BlockSequence') return listOf(node, text);
  if (node.name === 'FlowMapping' || node.name === 'BlockMapping') return mapOf(node, text);
  return scalarOf(node, text);
}

function listOf(node, text) {
  const items = [];
  for (const child of childrenOf(node)) {
    const [inner, ...more] = childrenOf(child);
    const isItem = child.name === 'Item' && inner && more.length === 0;
    const value = isItem ? nodeOf(inner, text) : undefined;
    if (value === undefined) return undefined;
    items.push(value);
  }
  return items;
}

function mapOf(node, text) {
  const entries = [];
  for (const child of childrenOf(node)) {
    const key = keyOf(child, text);
    const value = key === undefined ? undefined : valueOfKey(child, text);
    if (value === undefined) return undefined;
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

/** Words that YAML 1.1 reads as booleans, and `true` and `false`. */
const WORDS = { true: true, yes: true, on: true, false: false, no: false, off: false };

function scalarOf(node, text) {
  const written = text.slice(node.from, node.to);
  if (node.name === 'QuotedLiteral') return quoted(written);
  if (node.name !== 'Literal' || /[\r\n]/.test(written)) return undefined;
  if (/^(~|null|Null|NULL)$/.test(written)) return null;
  if (/^(true|false|yes|no|on|off)$/i.test(written)) return WORDS[written.toLowerCase()];
  return /^([-+.]|\d)/.test(written) ? undefined : written;
}

function quoted(written) {
  if (/[\r\n]/.test(written)) return undefined;
  if (written.startsWith("'")) return written.slice(1, -1).replaceAll("''", "'");
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}
