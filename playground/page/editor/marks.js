/** What the report says of a document, as marks in its text and in the gutter. */

import { offsetAt } from './position.js';

const SEVERITIES = { error: 'error', warning: 'warning', note: 'info' };

/**
 * The marks of a document.
 *
 * @param {object} report the plan
 * @param {string} name the document's name
 * @param {import('@codemirror/state').Text} doc its text
 * @returns {import('@codemirror/lint').Diagnostic[]} the marks, in the order of their places
 */
export function marksOf(report, name, doc) {
  const marks = [];
  const mark = (place, severity, message) => {
    if (place?.file === name) marks.push({ ...rangeAt(doc, place), severity, message });
  };
  for (const { place, message } of report.faults) mark(place, 'error', message);
  for (const finding of report.findings) {
    const message = `${finding.message}\n${finding.remedy}`;
    for (const place of placesOf(finding)) mark(place, SEVERITIES[finding.severity], message);
  }
  return marks.sort((one, next) => one.from - next.from || one.to - next.to);
}

/** Where a finding stands: each place once. */
function placesOf({ place, objects = [] }) {
  const places = [place, ...objects.map((object) => object.place)].filter(Boolean);
  return new Map(places.map((one) => [`${one.line}:${one.column} ${one.file}`, one])).values();
}

/** From the place to the end of the word there; of what has no place, the first line. */
function rangeAt(doc, place) {
  const from = offsetAt(doc, place);
  const { to, text, from: start } = doc.lineAt(from);
  if (place.line < 1) return { from, to };
  const [word] = /^[^\s:,[\]{}]*/u.exec(text.slice(from - start));
  return { from, to: Math.min(to, from + Math.max(word.length, 1)) };
}
