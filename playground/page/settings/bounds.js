/** How large a text may be before the form reads it: it is read at every keystroke, on the page's own thread. */

/** In characters. */
export const LONGEST = 64 * 1024;

/** Lists and maps within each other. */
export const DEEPEST = 64;

/**
 * Whether a text is small and flat enough to be parsed. It looks at each character once, and goes by brackets and
 * columns alone, those in quotes and comments too: what it lets through may still be deeper.
 *
 * @param {string} text the text
 * @returns {boolean} whether it is
 */
export function isBounded(text) {
  if (text.length > LONGEST) return false;
  let brackets = 0;
  /** The columns of the lists and maps that are open, and are not between brackets. */
  const columns = [];
  for (const line of text.split('\n')) {
    // `- - a` opens two lists in one line, and `? - a` a map and a list.
    const [indicators] = /^[ \t]*([-?:][ \t]+)*/.exec(line);
    if (indicators.trim() !== '' || !/^(#|\r?$)/.test(line.slice(indicators.length)))
      open(columns, indicators);
    for (const character of line) {
      if (character === '[' || character === '{') brackets += 1;
      else if ((character === ']' || character === '}') && brackets > 0) brackets -= 1;
      if (brackets + columns.length > DEEPEST) return false;
    }
  }
  return true;
}

function open(columns, indicators) {
  const [first] = /^[ \t]*/.exec(indicators);
  while (columns.at(-1) >= first.length) columns.pop();
  columns.push(first.length);
  for (const { index } of indicators.slice(first.length).matchAll(/[ \t][-?:]|[ \t]$/g)) {
    columns.push(first.length + index + 1);
  }
}
