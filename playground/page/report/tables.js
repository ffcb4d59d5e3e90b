/** The tables of namespaces, Workloads, Universal's documents and skipped kinds. */

import { h, named, quiet } from './dom.js';
import { marked } from './icons.js';
import { meshChip, sourced } from './parts.js';
import { identity } from './pods.js';
import { tableSection } from './table.js';
import { countsText, grouped, shownName, visible } from './text.js';

const named1 = { title: 'Name', of: ({ name }) => name, draw: named };
const managedBy = { title: 'Managed by', of: ({ managedBy: by }) => by, draw: (by) => orNone(by) };

/** @param {(name: string) => object} mesh a mesh with its mark */
export function namespacesSection(mesh) {
  const part = { id: 'report-namespaces', title: 'Namespaces', key: ({ name }) => [name] };
  const text = ({ name, meshes }) => [name, ...meshes.map((one) => one.mesh)];
  return tableSection({ ...part, text }, [
    named1,
    {
      title: 'Declares',
      of: ({ declared }) => declared && { mesh: mesh(declared.name), source: declared.source },
      draw: (declared) => (declared ? sourced(meshChip(declared.mesh), declared.source) : quiet('none')),
    },
    { title: 'Injects', of: ({ injects }) => injects, draw: yesNo },
    {
      title: 'Meshes',
      of: ({ meshes }) => meshes.map((counts) => ({ ...counts, mesh: mesh(counts.mesh) })),
      draw: (meshes) => list(meshes, (one) => [meshChip(one.mesh), ' ', quiet(countsText(one))]),
    },
    { title: 'Split', of: ({ split }) => split, draw: (split) => (split ? marked('yes', 'warns') : 'no') },
    {
      title: 'To move',
      of: ({ moves }) => moves.map((move) => ({ ...move, mesh: mesh(move.mesh) })),
      draw: (moves) => list(moves, move),
    },
  ]);
}

/** @param {(name: string) => object} mesh a mesh with its mark */
export function workloadsSection(parts, mesh) {
  const part = {
    id: 'report-workloads',
    title: 'Workloads',
    key: ({ namespace, name }) => [namespace, name],
  };
  const text = ({ namespace, name, meshes }) => [namespace, name, ...meshes.map((one) => one.mesh)];
  return tableSection({ ...part, text }, [
    {
      title: 'Workload',
      of: ({ namespace, name, place }) => ({ namespace, name, place: parts.placed(place) }),
      draw: ({ namespace, name, place }) => [
        named(name),
        h('div', { class: 'report-quiet' }, 'in ', named(namespace)),
        parts.place(place),
      ],
    },
    {
      title: 'Action',
      of: ({ action, withheld }) => ({ action, withheld }),
      draw: ({ action, withheld }) => [
        marked(action),
        withheld && h('div', {}, quiet('left to the control plane')),
      ],
    },
    {
      title: 'Meshes',
      of: ({ meshes }) => meshes.map((counts) => ({ ...counts, mesh: mesh(counts.mesh) })),
      draw: (meshes) => list(meshes, (one) => [meshChip(one.mesh), ' ', quiet(countsText(one))]),
    },
    managedBy,
  ]);
}

/** @param {(name: string) => object} mesh a mesh with its mark */
export function universalDataplanesSection(parts, mesh) {
  const part = { id: 'report-dataplanes', title: 'Universal Dataplanes', key: (one) => [one.mesh, one.name] };
  const text = (one) => [one.mesh, one.name, one.workload?.name];
  return tableSection({ ...part, text }, [
    {
      title: 'Dataplane',
      of: ({ name, place }) => ({ name, place: parts.placed(place) }),
      draw: ({ name, place }) => [named(name), h('div', {}, parts.place(place))],
    },
    { title: 'Mesh', of: (one) => mesh(one.mesh), draw: meshChip },
    {
      title: 'Workload',
      of: ({ workload }) => workload,
      draw: (workload) => (workload ? sourced(named(workload.name), workload.source) : quiet('none')),
    },
    { title: 'Identity', of: (one) => one.identity ?? null, draw: identity },
  ]);
}

/** @param {(name: string) => object} mesh a mesh with its mark */
export function universalWorkloadsSection(mesh) {
  const part = { id: 'report-universal', title: 'Universal Workloads', key: (one) => [one.mesh, one.name] };
  return tableSection({ ...part, text: (one) => [one.mesh, one.name] }, [
    named1,
    { title: 'Mesh', of: (one) => mesh(one.mesh), draw: meshChip },
    { title: 'Action', of: ({ action }) => action, draw: (action) => marked(action) },
    {
      title: 'Dataplanes',
      class: 'report-number',
      of: ({ dataplanes }) => dataplanes,
      draw: (count) => count,
    },
    managedBy,
  ]);
}

/** The kinds that do not matter here. */
export function skippedSection() {
  const part = { id: 'report-skipped', title: 'Skipped kinds', key: (one) => [one.apiVersion, one.kind] };
  return tableSection({ ...part, text: ({ kind, apiVersion }) => [kind, apiVersion] }, [
    { title: 'Kind', of: ({ kind }) => kind, draw: orNone },
    { title: 'apiVersion', of: ({ apiVersion }) => apiVersion, draw: orNone },
    { title: 'Objects', class: 'report-number', of: ({ count }) => count, draw: (count) => count },
  ]);
}

function move({ kind, name, mesh, pods }) {
  const counts = pods > 0 && quiet(` (${countsText({ pods })})`);
  return [
    h('bdi', {}, visible(kind)),
    ' ',
    h('bdi', { class: 'report-name' }, shownName(name)),
    counts,
    quiet(' of '),
    meshChip(mesh),
  ];
}

/** Of a long list, a cell shows so many items: a namespace may have thousands of Pods to move. */
const SHOWN = 20;

function list(items, draw) {
  if (!items.length) return quiet('none');
  const row = (item) => h('li', {}, ...[draw(item)].flat(2).filter(Boolean));
  const rows = items.slice(0, SHOWN).map(row);
  const left = items.slice(SHOWN);
  if (left.length > 0) rows.push(moreOf(left, row));
  return h('ul', {}, ...rows);
}

/** A button in the place of more items. */
function moreOf(items, row) {
  const show = () => {
    const [first, ...others] = items.map(row);
    first.tabIndex = -1;
    place.replaceWith(first, ...others);
    first.focus();
  };
  const place = h('li', {}, h('button', { type: 'button', onclick: show }, `${grouped(items.length)} more`));
  return place;
}

function orNone(name) {
  return name === undefined ? quiet('none') : named(name);
}

function yesNo(value) {
  return value ? 'yes' : 'no';
}
