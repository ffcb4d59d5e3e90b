/** The table of Pods, templates, and Dataplanes whose Pod was not read. */

import { h, named, quiet } from './dom.js';
import { marked } from './icons.js';
import { meshChip, sourced } from './parts.js';
import { tableSection } from './table.js';
import { visible } from './text.js';

/** What makes a Pod the same as before. */
export function podKey({ kind, namespace, name }) {
  return [kind, namespace, name];
}

/**
 * @param {import('./parts.js').Parts} parts
 * @param {(name: string) => object} mesh a mesh with its mark
 * @param {(key: string) => Element} why the disclosure of the walk
 */
export function podsSection(parts, mesh, why) {
  return tableSection(
    {
      id: 'report-pods',
      title: 'Pods',
      key: podKey,
      text: ({ kind, namespace, name, mesh, workload }) => [
        kind,
        namespace,
        name,
        mesh?.name,
        workload?.name,
      ],
    },
    [
      {
        title: 'Object',
        class: 'report-object',
        of: ({ kind, namespace, name, place }) => ({ kind, namespace, name, place: parts.placed(place) }),
        draw: ({ kind, namespace, name, place }) => [
          named(name),
          h('div', { class: 'report-quiet' }, h('bdi', {}, visible(kind)), ' in ', named(namespace)),
          parts.place(place),
        ],
      },
      {
        title: 'Verdict',
        class: 'report-verdict',
        of: ({ admission, finished }) => ({ admission, finished }),
        draw: (shown) => verdict(shown, parts),
        keep: why,
      },
      {
        title: 'Mesh',
        of: (pod) => ({
          mesh: pod.mesh && mesh(pod.mesh.name),
          source: pod.mesh?.source,
          reason: pod.reason,
        }),
        draw: ({ mesh: chip, source, reason }) => [
          source ? sourced(meshChip(chip), source) : meshChip(chip),
          h('div', { class: 'report-quiet' }, h('bdi', {}, visible(reason))),
        ],
      },
      {
        title: 'Workload',
        class: 'report-workload',
        of: ({ workload, dataplane }) => ({ workload, stored: dataplane?.workload }),
        draw: ({ workload, stored }) => [
          workload ? sourced(named(workload.name), workload.source) : quiet('none'),
          stored !== undefined && stored !== workload?.name && h('div', {}, quiet('stored: '), named(stored)),
        ],
      },
      {
        title: 'Identity',
        class: 'report-identity',
        of: ({ identity }) => identity ?? null,
        draw: identity,
      },
    ],
  );
}

/** An identity: its SPIFFE ID, or why there is none. */
export function identity(shown) {
  if (!shown) return quiet('none');
  const { spiffeId, fault, meshIdentity } = shown;
  return [
    spiffeId ? h('bdi', { class: 'report-spiffe' }, visible(spiffeId)) : '',
    fault ? [marked('fault'), ' ', h('bdi', {}, visible(fault))] : '',
    h('div', {}, quiet('MeshIdentity '), named(meshIdentity)),
  ];
}

function verdict({ admission, finished }, parts) {
  const ended = finished && quiet('finished');
  if (!admission) return ended || quiet('none');
  const { verdict: word, rejection, warnings } = admission;
  return [
    h('div', { class: 'report-line' }, marked(word), ended),
    rejection && objection(rejection, parts),
    ...warnings.map((warning) => objection(warning, parts, marked('warns'))),
  ];
}

function objection({ rule, message }, parts, word) {
  return h('p', {}, word && [word, ' '], parts.code(rule), ' ', h('bdi', {}, visible(message)));
}
