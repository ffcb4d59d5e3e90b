/** How text of the report is shown: nothing in it may hide, turn or break the text around it. */

/** The longest name that is shown, in characters: that of a Kubernetes object. */
const MAX_NAME = 253;

/** What is not seen as itself, as `rulebook/src/quoted.rs` has it for sentences. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A text with what cannot be seen replaced by U+FFFD.
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  return String(text ?? '').replace(INVISIBLE, '\uFFFD');
}

/**
 * A name as it is shown: visible, and no longer than a name can be.
 * @param {string} name
 * @returns {string}
 */
export function shownName(name) {
  return cut(visible(name), MAX_NAME);
}

/**
 * A text of at most this many characters; one that is cut ends in an ellipsis.
 * @param {string} text
 * @param {number} length
 * @returns {string}
 */
export function cut(text, length) {
  // A character takes two code units at most, so a shorter text needs no counting.
  if (text.length <= length) return text;
  const characters = Array.from(text.slice(0, 2 * length + 2));
  return characters.length <= length ? text : `${characters.slice(0, length).join('')}…`;
}

/**
 * A place as compilers write it.
 * @param {{file: string, line: number, column: number}} place line 0 is the file as a whole
 * @returns {string}
 */
export function placeText({ file, line, column }) {
  return line ? `${visible(file)}:${line}:${column}` : visible(file);
}

/**
 * A number and its noun: "1 error", "2 errors", "no errors".
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 * @returns {string}
 */
export function counted(count, one, many = `${one}s`) {
  return `${count === 0 ? 'no' : grouped(count)} ${count === 1 ? one : many}`;
}

/** To make one takes longer than to use it. */
const NUMBER = new Intl.NumberFormat('en');

/**
 * A number with its thousands apart, the same in every locale.
 * @param {number} count
 * @returns {string}
 */
export function grouped(count) {
  return NUMBER.format(count);
}

/**
 * What there is in a mesh, such as "2 Pods, 1 template".
 * @param {{pods?: number, dataplanes?: number, templates?: number, coming?: number}} counts
 * @returns {string}
 */
export function countsText({ pods = 0, dataplanes = 0, templates = 0, coming = 0 }) {
  const parts = [
    pods && counted(pods, 'Pod'),
    dataplanes && counted(dataplanes, 'Dataplane'),
    templates && counted(templates, 'template'),
    coming && `${grouped(coming)} to come`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** How much there is to say, in one line. */
export function summaryText({ errors, warnings, notes, faults }) {
  const parts = [counted(errors, 'error'), counted(warnings, 'warning'), counted(notes, 'note')];
  return `${parts.join(', ')}, ${counted(faults, 'fault')}`;
}
