// Makes settings at random, always the same from the same seed.

/**
 * Random numbers.
 *
 * @param {number} seed where they begin
 * @returns {(below: number) => number} gives the next one, from 0 on
 */
export function numbers(seed) {
  let state = seed;
  return (below) => {
    // Mulberry32, in the public domain.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const KEYS = ['action', 'updates', 'systemNamespaces', 'workloadLabels', 'considerPods', 'other'];
const SCALARS = [
  'warn',
  '"deny"',
  "'it''s # no comment'",
  'true',
  'off',
  'a b',
  'payments-*',
  '~',
  '"[x]"',
  '{}',
];
const COMMENTS = ['# why', '#', '# {a: b}', '# - x', '# äöü 😀', "# it's"];
const VALUES = ['warn', 'all # not', '', ': ', '\u2028', true, false, [], ['app', 'a: b'], ['"', "'", '\\']];

const one = (random, list) => list[random(list.length)];

/**
 * An edit of the form.
 *
 * @param {(below: number) => number} random the random numbers
 * @returns {{ key: string, value: unknown }} what it sets; undefined takes it away
 */
export function edit(random) {
  return { key: one(random, KEYS), value: random(3) === 0 ? undefined : one(random, VALUES) };
}

/**
 * A text that is settings, and of which form: in blocks of which each is of a setting or of none, or in brackets.
 *
 * @param {(below: number) => number} random the random numbers
 * @returns {{ text: string, blocks: Array<{ key?: string, text: string, isLocked?: boolean }>, end: string,
 *   isFlow: boolean, before: string, after: string }} the text, its parts, and what stands around its brackets or before its blocks
 */
export function text(random) {
  const end = one(random, ['\n', '\n', '\r\n']);
  const head = random(8) === 0 ? '\ufeff' : '';
  const comments = () => Array.from({ length: random(3) }, () => comment(random) + end);
  const keys = KEYS.filter(() => random(2) === 0).sort(() => random(3) - 1);
  if (random(4) === 0) {
    const before = head + comments().join('') + one(random, ['', '', `---${end}`, '--- ']);
    const after = one(random, ['', end, ` # why${end}`, `${end}# why${end}`]);
    return { text: before + brackets(random, keys) + after, blocks: [], end, isFlow: true, before, after };
  }
  // After a byte order mark, readers differ in the column of the first line.
  const indentation = head === '' ? ' '.repeat(one(random, [0, 0, 2, 3])) : '';
  const blocks = [{ text: comments().join('') + one(random, ['', '', `---${end}`]) }];
  for (const key of keys) {
    blocks.push({ key, ...setting(random, key, indentation, end) });
    blocks.push({ text: comments().join('') + (random(4) === 0 ? end : '') });
  }
  if (random(6) === 0) blocks.push({ text: '# the last line has no end' });
  const whole = head + blocks.map((block) => block.text).join('');
  return { text: whole, blocks, end, isFlow: false, before: head, after: '' };
}

function comment(random) {
  return ' '.repeat(random(4)) + one(random, COMMENTS);
}

function brackets(random, keys) {
  const space = () => ' '.repeat(random(2));
  const value = () => (random(3) === 0 ? `[${one(random, SCALARS)},${space()}x]` : one(random, SCALARS));
  const isJson = random(2) === 0;
  const pairs = keys.map((key) => `${space()}${isJson ? `"${key}"` : key}: ${value()}${space()}`);
  const comma = pairs.length > 0 && random(4) === 0 ? ',' : '';
  return `{${pairs.join(',')}${comma}${space()}}`;
}

function setting(random, key, indentation, end) {
  const written = indentation + one(random, [key, key, `"${key}"`, `'${key}'`, `${key} `]);
  const why = random(3) === 0 ? ` ${one(random, COMMENTS)}` : '';
  if (random(3) > 0) {
    const value = random(3) === 0 ? `[${one(random, SCALARS)}, x]` : one(random, SCALARS);
    return { text: `${written}: ${random(8) === 0 ? '' : value}${why}${end}` };
  }
  const deeper = indentation + ' '.repeat(random(3));
  const within = random(4) === 0 ? `${deeper}${one(random, COMMENTS)}${end}` : '';
  const items = `${deeper}- x${end}${within}${deeper}- ${one(random, SCALARS)}${why}${end}`;
  const map = `${indentation}  a: x${end}${within}${indentation}  b: [x, z]${why}${end}`;
  return { text: `${written}:${end}${random(3) === 0 ? map : items}`, isLocked: within !== '' };
}

const PIECES = [
  '\n',
  '\r\n',
  ' ',
  '  ',
  '\t',
  '#',
  ' #',
  ':',
  ': ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  ',',
  '"',
  "'",
  '|',
  '&a ',
];
const MORE = [
  '*a',
  '!x ',
  '---\n',
  '...\n',
  '? ',
  'a',
  'action',
  'action: x',
  '\\',
  '~',
  '%',
  '<<: ',
  '\ufeff',
  '\r',
];

/**
 * A text that was settings, with something changed at random.
 *
 * @param {(below: number) => number} random the random numbers
 * @returns {string} the text
 */
export function anyText(random) {
  let made = text(random).text;
  for (let left = 1 + random(3); left > 0; left -= 1) {
    const at = random(made.length + 1);
    made = made.slice(0, at) + one(random, [...PIECES, ...MORE]) + made.slice(at + random(3));
  }
  return made;
}
