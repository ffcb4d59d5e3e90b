/**
 * The settings of a text, as far as the form can show and change them. The parser is that of the editor's colours:
 * what the policy reads in the text is said by the plan, not here. Where there is a doubt, the text decides.
 */

import { yamlLanguage } from '@codemirror/lang-yaml';
import { isBounded } from './bounds.js';
import { entryOf, isNotSet } from './values.js';

export const BYTE_ORDER_MARK = '\ufeff';

/** It stops at the first fault: to go on after one takes it a time that grows with the square of the text. */
const PARSER = yamlLanguage.parser.configure({ strict: true });

/** What a policy has and its settings have not: in it, the settings are not at the top level. */
const OF_A_POLICY = ['apiVersion', 'kind', 'spec'];

/**
 * What the form knows of a text.
 *
 * @typedef {object} Settings
 * @property {Map<string, Setting>} settings the settings by their keys, in their order
 * @property {{ from: number, to: number } | null} brackets where the map begins and ends that is between brackets
 */

/**
 * A setting, and where it stands in the text.
 *
 * @typedef {object} Setting
 * @property {unknown} value its value
 * @property {number} from where its key begins
 * @property {number} colon where its value, or the space before it, begins
 * @property {number} to where its value ends
 * @property {boolean} isLocked whether it has comments within, which another value would lose
 */

/**
 * The settings in a text, as far as the form can show and change them.
 *
 * @param {string} text the text; a byte order mark is no part of it
 * @returns {Settings | null} the settings, whose places are counted from behind such a mark; null if the text decides
 */
export function readSettings(text) {
  return readMap(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
}

/**
 * The same of a text without a byte order mark.
 *
 * @param {string} text the text
 * @returns {Settings | null} the settings; null if the text decides
 */
export function readMap(text) {
  if (!isBounded(text)) return null;
  // Readers differ in whether a carriage return alone ends a line, and in marks within a text.
  if (/\r(?!\n)/.test(text) || text.includes(BYTE_ORDER_MARK)) return null;
  const tree = parsed(text);
  if (!tree) return null;
  const found = { settings: new Map(), brackets: null };
  const [document, ...others] = within(tree.topNode);
  if (!document) return found;
  const [body, ...more] = within(document).filter(({ name }) => name !== 'DirectiveEnd');
  if (others.length > 0 || more.length > 0) return null;
  if (!body) return found;
  if (body.name === 'FlowMapping') {
    // Over several lines, no place for another setting is sure to disturb nothing.
    if (/\n/.test(text.slice(body.from, body.to))) return null;
    found.brackets = { from: body.from, to: body.to };
  } else if (body.name !== 'BlockMapping') return null;
  for (const pair of body.getChildren('Pair')) {
    const [key, setting] = settingOf(pair, text) ?? [];
    const isOdd = setting === undefined || found.settings.has(key) || OF_A_POLICY.includes(key);
    if (isOdd || (found.brackets && isNotSet(pair))) return null;
    found.settings.set(key, setting);
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
  const read = readSettings(text);
  return read && Object.fromEntries([...read.settings].map(([key, { value }]) => [key, value]));
}

/** The tree of a text; null if it is no YAML, or too deep for a tree to be built. */
function parsed(text) {
  try {
    return PARSER.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

function within(node) {
  const children = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name !== 'Comment') children.push(child);
  }
  return children;
}

function settingOf(pair, text) {
  const [key, value] = entryOf(pair, text) ?? [];
  const colon = pair.getChild(':');
  if (value === undefined || !colon) return null;
  let isLocked = false;
  pair.toTree().iterate({
    enter: ({ name }) => {
      isLocked ||= name === 'Comment';
    },
  });
  return [key, { value, from: pair.from, colon: colon.to, to: pair.to, isLocked }];
}
