// The line ends of a document outlive the editor, which knows none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { history, insertNewline, redo, undo } from '@codemirror/commands';
import { stateOf, textOf } from '../page/editor/line-ends.js';

const texts = {
  empty: '',
  'line feeds': 'a\nb\n',
  'both, as Windows has it': 'a\r\nb\r\n',
  'carriage returns alone': 'a\rb\r',
  mixed: 'a\r\nb\nc\rd\n\r\re',
  'no end at the end': 'a\r\nb',
  'old line breaks, which end no line': 'a\u0085b\u2028c\u2029d\n',
};

for (const [name, text] of Object.entries(texts)) {
  test(`as it was: ${name}`, () => assert.equal(textOf(stateOf(text)), text));
}

/** The text after changes, each as [from, to, insert]. */
function edited(text, ...changes) {
  let state = stateOf(text);
  for (const [from, to, insert] of changes) {
    state = state.update({ changes: { from, to, insert: state.toText(insert) } }).state;
  }
  return textOf(state);
}

const edits = [
  ['a key typed', 'a\r\nb\r\n', [[1, 1, 'x']], 'ax\r\nb\r\n'],
  ['Enter within a line', 'a\r\nbc\r\n', [[3, 3, '\n']], 'a\r\nb\r\nc\r\n'],
  ['Enter at the end of a file without one', 'a\r\nb', [[3, 3, '\n']], 'a\r\nb\r\n'],
  ['Enter in the only line', 'a', [[1, 1, '\n']], 'a\n'],
  ['a paste with other ends', 'a\nb\n', [[2, 2, 'x\r\ny\r\n']], 'a\nx\ny\nb\n'],
  ['lines joined', 'a\r\nb\nc', [[1, 2, '']], 'ab\nc'],
  ['the second end of two goes', 'a\r\nb\nc', [[3, 4, '']], 'a\r\nbc'],
  ['lines replaced keep their ends', 'a\r\nb\nc\r', [[0, 5, 'x\ny\nz']], 'x\r\ny\nz\r'],
  [
    'all deleted, then typed',
    'a\r\nb\r\n',
    [
      [0, 4, ''],
      [0, 0, 'x\ny\n'],
    ],
    'x\r\ny\r\n',
  ],
];

for (const [name, text, changes, expected] of edits) {
  test(name, () => assert.equal(edited(text, ...changes), expected));
}

test('several changes at once', () => {
  const state = stateOf('a\r\nb\nc\rd');
  const changes = [
    { from: 0, insert: state.toText('1\n') },
    { from: 3, to: 4, insert: '' },
    { from: 7, insert: state.toText('\n2') },
  ];
  assert.equal(textOf(state.update({ changes }).state), '1\r\na\r\nbc\rd\r2');
});

test('Enter, undo and redo give the bytes back', () => {
  for (const text of Object.values(texts)) {
    let state = stateOf(text, history({ newGroupDelay: 0 }));
    const dispatch = (transaction) => {
      state = transaction.state;
    };
    const run = (command) => command({ state, dispatch });
    dispatch(state.update({ selection: { anchor: Math.min(1, state.doc.length) } }));
    run(insertNewline);
    const typed = textOf(state);
    assert.notEqual(typed, text);
    dispatch(state.update({ changes: { from: 0, to: state.doc.length }, userEvent: 'delete' }));
    assert.equal(textOf(state), '');
    while (run(undo));
    assert.equal(textOf(state), text);
    run(redo);
    assert.equal(textOf(state), typed);
  }
});
