/**
 * The line ends of a document. CodeMirror counts lines as the project's reader does (a line feed, a carriage
 * return, or both end one), but forgets by which of them a line ended. This keeps it beside the text, so that
 * the bytes stay as they were given.
 */

import { invertedEffects } from '@codemirror/commands';
import { EditorState, Facet, StateEffect, StateField } from '@codemirror/state';

const END = /\r\n?|\n/g;

/** What ends a line where no other line says it: that of the file as it was opened. */
const fileEnd = Facet.define({ combine: ([end]) => end ?? '\n' });

/** Gives back the line ends from before, when a change is undone. */
const putBack = StateEffect.define();

/** What ends each line but the last, in the order of the lines. */
const lineEnds = StateField.define({
  create: () => [],
  update(ends, transaction) {
    // Of several changes that are undone at once, history puts the oldest last.
    const before = transaction.effects.findLast((effect) => effect.is(putBack));
    if (before) return before.value;
    return transaction.docChanged ? changed(ends, transaction) : ends;
  },
});

/** Undo brings back the line ends of a file that mixes them; of others, it is clear what they are. */
const undoable = invertedEffects.of((transaction) => {
  const before = transaction.startState.field(lineEnds);
  const after = transaction.state.field(lineEnds);
  return before === after || kind(before) === kind(after) ? [] : [putBack.of(before)];
});

/**
 * The extension that keeps the line ends of this text.
 *
 * @param {string} text the text
 * @returns {import('@codemirror/state').Extension} the extension
 */
export function keepLineEnds(text) {
  const ends = text.match(END) ?? [];
  return [fileEnd.of(ends[0]), lineEnds.init(() => ends), undoable];
}

/**
 * The text of a document, each line with the end that it has.
 *
 * @param {EditorState} state the document
 * @returns {string} its text
 */
export function textOf(state) {
  const ends = state.field(lineEnds);
  if (!Number.isNaN(kind(ends))) return state.doc.sliceString(0, state.doc.length, ends[0]);
  const parts = [];
  let index = 0;
  for (const line of state.doc.iterLines()) {
    parts.push(line, ends[index] ?? '');
    index += 1;
  }
  return parts.join('');
}

/**
 * A state with this text, and what else the editor needs.
 *
 * @param {string} text the text
 * @param {import('@codemirror/state').Extension} [extensions] what the editor needs
 * @returns {EditorState} the state
 */
export function stateOf(text, extensions = []) {
  return EditorState.create({ doc: text, extensions: [keepLineEnds(text), extensions] });
}

/** By what all lines end; not a number where they differ, which is like no other. */
function kind(ends) {
  return ends.every((end) => end === ends[0]) ? ends[0] : Number.NaN;
}

/** The line ends after a change: a new line ends as the one in which it begins. */
function changed(ends, { changes, startState }) {
  const { doc } = startState;
  const parts = [];
  let kept = 0;
  let isChanged = false;
  changes.iterChanges((fromA, toA, _fromB, _toB, inserted) => {
    const first = doc.lineAt(fromA).number - 1;
    const last = doc.lineAt(toA).number - 1;
    const count = inserted.lines - 1;
    if (first === last && count === 0) return;
    isChanged = true;
    const end = ends[first] ?? ends[first - 1] ?? startState.facet(fileEnd);
    parts.push(ends.slice(kept, first));
    parts.push(
      Array.from({ length: count }, (_, index) => (first + index < last ? ends[first + index] : end)),
    );
    kept = last;
  });
  return isChanged ? parts.concat([ends.slice(kept)]).flat() : ends;
}
