/** The editor: CodeMirror in a shadow root, so that its styles need no exception from the page's policy. */

import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { indentUnit } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import {
  closeHoverTooltips,
  drawSelection,
  EditorView,
  hasHoverTooltips,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { colours } from './colours.js';
import { stateOf } from './line-ends.js';
import { offsetAt, placeAt } from './position.js';
import { theme } from './theme.js';

/**
 * Chromium keeps the looks of a selection for what is typed over it, by an inline style, which the page's policy
 * refuses: so it is the editor that replaces a selection.
 */
const overSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { state } = view;
    const isOver = event.inputType === 'insertText' && !event.isComposing && !state.selection.main.empty;
    if (!isOver || state.readOnly || event.data === null) return false;
    event.preventDefault();
    view.dispatch(state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
    return true;
  },
});

const DAY = 24 * 60 * 60 * 1000;

/**
 * Escape closes what a mark says, and after it Tab leaves the text, until another key is pressed or the text is left.
 * CodeMirror does neither where Escape has something else to do, such as to end a selection.
 */
const leaving = Prec.highest(
  EditorView.domEventHandlers({
    keydown({ key }, view) {
      if (key !== 'Escape') return;
      if (hasHoverTooltips(view.state)) view.dispatch({ effects: closeHoverTooltips });
      view.setTabFocusMode(DAY);
    },
    blur: (_event, view) => view.setTabFocusMode(false),
  }),
);

const always = [
  overSelection,
  lineNumbers(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  history(),
  drawSelection(),
  indentUnit.of('  '),
  EditorState.tabSize.of(2),
  leaving,
  lintGutter(),
  theme,
  // It can be reached without this, but not every tool that looks for that knows.
  EditorView.contentAttributes.of({ tabindex: '0' }),
  keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap, indentWithTab]),
];

/** One view, in which one document at a time is shown. */
export class Editor {
  #view;
  #onUpdate;

  /**
   * @param {HTMLElement} host the element that it is shown in
   * @param {(state: EditorState) => void} onUpdate is told of each new state, of the text or of the cursor
   */
  constructor(host, onUpdate) {
    this.#onUpdate = onUpdate;
    const root = host.attachShadow({ mode: 'open' });
    this.#view = new EditorView({ parent: root, root, state: this.stateOf('') });
  }

  /**
   * The state of a document that is opened.
   *
   * @param {string} text its text
   * @param {{ readOnly?: boolean }} [how] whether it can be changed
   * @returns {EditorState} the state
   */
  stateOf(text, { readOnly = false } = {}) {
    const told = EditorView.updateListener.of((update) => this.#onUpdate(update.state));
    return stateOf(text, [always, colours(text), told, EditorState.readOnly.of(readOnly)]);
  }

  /** The state of the document that is shown, with its history and its cursor. */
  get state() {
    return this.#view.state;
  }

  /** Where the cursor is, as the report counts. */
  get place() {
    return placeAt(this.state.doc, this.state.selection.main.head);
  }

  /**
   * Shows a document.
   *
   * @param {EditorState} state its state
   * @param {string} label what a screen reader calls it
   */
  show(state, label) {
    if (state !== this.#view.state) this.#view.setState(state);
    this.#view.contentDOM.setAttribute('aria-label', label);
  }

  /**
   * Replaces the part of the text that differs, so that the cursor stays where it can.
   *
   * @param {string} text the text that is to be there
   */
  write(text) {
    const { state } = this.#view;
    const next = state.toText(text);
    const [before, after] = [state.doc.toString(), next.toString()];
    let from = 0;
    while (from < before.length && before[from] === after[from]) from += 1;
    let left = Math.min(before.length, after.length) - from;
    let same = 0;
    while (left > 0 && before.at(-1 - same) === after.at(-1 - same)) [same, left] = [same + 1, left - 1];
    this.#view.dispatch({
      changes: { from, to: before.length - same, insert: next.slice(from, next.length - same) },
    });
  }

  /** @param {import('@codemirror/lint').Diagnostic[]} marks what is marked in the document that is shown */
  mark(marks) {
    this.#view.dispatch(setDiagnostics(this.state, marks));
  }

  /** @param {{ line: number, column: number }} place the place to which the cursor goes */
  jump(place) {
    const anchor = offsetAt(this.state.doc, place);
    this.#view.dispatch({
      selection: { anchor },
      effects: EditorView.scrollIntoView(anchor, { y: 'center' }),
    });
    this.focus();
  }

  /** Puts the focus into the text. */
  focus() {
    this.#view.focus();
  }
}
