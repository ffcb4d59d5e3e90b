/** Marks beside words, so that colour is not all that tells them apart. */

import { h, s } from './dom.js';

const SHAPES = {
  cross: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1M5.5 5.5l5 5m0-5-5 5',
  triangle: 'M8 2 15 14H1ZM8 6.5v3.5m0 1.8v.4',
  info: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1M8 7.2v4.3M8 4.5v.4',
  tick: 'm3 8.5 3.5 3.5L13 4.5',
  stop: 'M3 8h10',
  dot: 'M8 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3',
};

/** The mark and the tone of each word of the report that has one. */
const WORDS = {
  fault: ['cross', 'error'],
  error: ['cross', 'error'],
  rejected: ['cross', 'error'],
  'pods-rejected': ['cross', 'error'],
  rejects: ['cross', 'error'],
  conflict: ['cross', 'error'],
  orphan: ['cross', 'error'],
  'bad-name': ['cross', 'error'],
  warning: ['triangle', 'warning'],
  warns: ['triangle', 'warning'],
  foreign: ['triangle', 'warning'],
  note: ['info', 'note'],
  accepted: ['tick', 'fine'],
  passes: ['tick', 'fine'],
  keep: ['tick', 'fine'],
  fact: ['dot', 'quiet'],
  ends: ['stop', 'quiet'],
};

/**
 * A word of the report with its mark.
 * @param {string} word
 * @param {string} [as] the word whose mark it gets
 * @returns {HTMLElement}
 */
export function marked(word, as = word) {
  const [shape, tone] = Object.hasOwn(WORDS, as) ? WORDS[as] : ['dot', 'quiet'];
  return h('span', { class: `report-word report-${tone}` }, icon(shape), word);
}

function icon(shape) {
  const attributes = {
    class: 'report-icon',
    viewBox: '0 0 16 16',
    'aria-hidden': 'true',
    focusable: 'false',
  };
  return s('svg', attributes, s('path', { d: SHAPES[shape] }));
}
