/** The plan as Markdown, for an issue on GitHub or GitLab. */

import { code, prose } from './markdown/escape.js';
import { counted, grouped, placeText, shownName, summaryText } from './text.js';

/** How much is written; what is left is a number, since an issue holds 65,536 characters. */
export const MOST = { findings: 50, rows: 50 };

/**
 * @param {object} report
 * @param {{title?: string}} [heading]
 * @returns {string}
 */
export function markdown(report, { title = 'kuma-workload plan' } = {}) {
  const { objects, skipped } = report.summary;
  const skips = skipped ? `, ${grouped(skipped)} skipped` : '';
  return [
    `## ${prose(title)}`,
    `${summaryText(report.summary)}. ${counted(objects, 'object')} read${skips}; mode ${code(report.mode)}.`,
    ...findings(report),
    ...pods(report),
    ...workloads(report),
    ...universal(report),
  ]
    .join('\n\n')
    .concat('\n');
}

function findings({ faults, findings: found }) {
  const items = [
    ...faults.map(({ place, message }) => `- **fault** at ${code(placeText(place))}: ${prose(message)}`),
    ...found.map(finding),
  ];
  return section('Findings', bounded(items, MOST.findings).join('\n'));
}

function finding({ severity, code: name, message, remedy, place }) {
  const at = place ? ` at ${code(placeText(place))}` : '';
  return `- **${severity}** ${code(name)}${at}: ${prose(message)}\n  - What to do: ${prose(remedy)}`;
}

function pods({ pods: all }) {
  const rows = all.map(({ kind, namespace, name, mesh, workload, admission, finished }) => [
    code(`${kind} ${shownName(namespace)}/${shownName(name)}`),
    sourced(mesh),
    sourced(workload),
    finished ? 'finished' : verdict(admission),
  ]);
  return table('Pods', ['object', 'mesh', 'workload', 'verdict'], rows);
}

function verdict(admission) {
  if (!admission) return '';
  const { verdict: word, rejection, warnings } = admission;
  const rules = rejection ? [rejection] : warnings;
  const names = [...new Set(rules.map(({ rule }) => code(rule)))].join(', ');
  if (!names) return word;
  return rejection ? `${word}: ${names}` : `${word}, warns: ${names}`;
}

function workloads({ workloads: all }) {
  const rows = all.map(({ namespace, name, action, withheld, meshes }) => [
    code(`${shownName(namespace)}/${shownName(name)}`),
    withheld ? `(${action})` : action,
    meshes.map(({ mesh }) => code(shownName(mesh))).join(', '),
  ]);
  return table('Workloads', ['workload', 'action', 'meshes'], rows);
}

function universal({ universal: all }) {
  if (!all) return [];
  const dataplanes = all.dataplanes.map(({ mesh, name, workload }) => [
    code(shownName(name)),
    code(shownName(mesh)),
    sourced(workload),
  ]);
  const made = all.workloads.map(({ mesh, name, action }) => [
    code(shownName(name)),
    code(shownName(mesh)),
    action,
  ]);
  return [
    ...table('Universal Dataplanes', ['dataplane', 'mesh', 'workload'], dataplanes),
    ...table('Universal Workloads', ['workload', 'mesh', 'action'], made),
  ];
}

function sourced(one) {
  return one ? `${code(shownName(one.name))} (${code(one.source)})` : '';
}

function section(title, body) {
  return body ? [`### ${title}`, body] : [];
}

function table(title, heads, rows) {
  if (!rows.length) return [];
  // A bar in a cell would begin another, in a code span too.
  const row = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const shown = rows.slice(0, MOST.rows).map(row);
  const text = [row(heads), `|${' --- |'.repeat(heads.length)}`, ...shown].join('\n');
  const left = rows.length - shown.length;
  return section(title, left > 0 ? `${text}\n\nand ${grouped(left)} more` : text);
}

function bounded(items, most) {
  if (items.length <= most) return items;
  return [...items.slice(0, most), `- and ${grouped(items.length - most)} more`];
}
