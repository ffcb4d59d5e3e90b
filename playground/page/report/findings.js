/** What could not be read, and what there is to say. */

import { h, quiet } from './dom.js';
import { marked } from './icons.js';
import { objectName } from './parts.js';
import { Section } from './section.js';
import { counted, visible } from './text.js';

/**
 * The section of findings; faults come first.
 * @param {import('./parts.js').Parts} parts
 * @returns {Section}
 */
export function findingsSection(parts) {
  const rows = h('ul', { class: 'report-findings' });
  return new Section({
    id: 'report-findings',
    title: 'Findings',
    frame: rows,
    rows,
    key: keyOf,
    text: (item) => [item.code, item.message, item.remedy, ...(item.objects ?? []).map((one) => one.name)],
    make: () => new Finding(parts),
  });
}

/** The faults of a report as findings are: with a severity, and nothing to explain. */
export function findingsOf(report) {
  return [...report.faults.map((fault) => ({ severity: 'fault', ...fault })), ...report.findings];
}

function keyOf({ severity, code, objects, message, place }) {
  if (severity === 'fault') return [severity, place?.file, message];
  const first = objects?.[0];
  // A finding that counts one Pod more is still the same one.
  return first ? [code, first.kind, first.namespace, first.mesh, first.name] : [code, message];
}

class Finding {
  #parts;

  constructor(parts) {
    this.#parts = parts;
    this.element = h('li', { 'data-row': true });
  }

  update(finding) {
    const { severity, code, message, remedy, place, count } = finding;
    this.element.className = `report-finding report-is-${severity}`;
    this.element.replaceChildren(
      h(
        'div',
        { class: 'report-line' },
        marked(severity),
        code ? this.#parts.code(code) : '',
        this.#parts.place(place) ?? '',
        count > 1 ? quiet(`found in ${counted(count, 'object')}`) : '',
      ),
      h('p', {}, h('bdi', {}, visible(message))),
      remedy ? h('p', { class: 'report-remedy' }, quiet('What to do: '), h('bdi', {}, visible(remedy))) : '',
      this.#objects(finding) ?? '',
    );
  }

  /** The objects, unless the finding's own place says it all. */
  #objects({ objects = [], place }) {
    const elsewhere = objects.filter((one) => one.place && placeKey(one.place) !== placeKey(place));
    if (!elsewhere.length) return null;
    const items = objects.map((one) =>
      h('li', {}, ...objectName(one), ' ', this.#parts.place(one.place) ?? ''),
    );
    return h('ul', { class: 'report-objects' }, ...items);
  }
}

function placeKey(place) {
  return place && `${place.line}:${place.column}:${place.file}`;
}
