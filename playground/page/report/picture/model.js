/** What the picture shows, made from the report alone; bounded, however large that is. */

import { meshesOf } from '../meshes.js';

/** How much is drawn; the rest is a number. */
export const LIMITS = { namespaces: 40, groups: 12, meshes: 6, dots: 60, allDots: 4000, legend: 24 };

/**
 * @typedef {{kind: 'pod'|'template'|'dataplane', rejected: boolean, finished: boolean, count: number}} Dots
 * @typedef {{mesh: object|undefined, dots: Dots[], total: number, moves: boolean}} Line
 * @typedef {{workload: string|undefined, action: string|undefined, conflict: boolean, lines: Line[], more: number}} Group
 * @typedef {{name: string, universal: boolean, split: boolean, home: object|undefined, moves: object[], groups: Group[], more: number}} Box
 */

/**
 * @param {object} report
 * @param {Map<string, object>} [meshes] the mark of each mesh
 * @returns {{boxes: Box[], more: number, meshes: object[]}}
 */
export function modelOf(report, meshes = meshesOf(report)) {
  const boxes = [...namespaceBoxes(report, meshes), ...universalBoxes(report, meshes)];
  const shown = gravestFirst(boxes, (box) => box.split || box.groups.some((group) => group.conflict));
  const kept = shown.slice(0, LIMITS.namespaces);
  return { boxes: kept, more: shown.length - kept.length, meshes: [...meshes.values()] };
}

function namespaceBoxes(report, meshes) {
  const boxes = new Map();
  const box = (name) => {
    if (!boxes.has(name)) boxes.set(name, { groups: new Map() });
    return boxes.get(name);
  };
  for (const namespace of report.namespaces) box(namespace.name).report = namespace;
  for (const { namespace, name, action } of report.workloads) groupOf(box(namespace), name).action = action;
  for (const pod of report.pods) {
    // As the Workloads count it: by what the Dataplane keeps, or else by what the Pod would get.
    const workload = pod.dataplane?.workload ?? pod.workload?.name;
    const mesh = pod.mesh?.name ?? pod.dataplane?.mesh;
    lineOf(
      groupOf(box(pod.namespace), pod.meshed ? workload : undefined),
      pod.meshed ? mesh : undefined,
    ).push(pod);
  }
  return [...boxes.keys()].sort().map((name) => finished(name, boxes.get(name), meshes));
}

function universalBoxes({ universal }, meshes) {
  const boxes = new Map();
  const box = (mesh) => {
    if (!boxes.has(mesh)) boxes.set(mesh, { groups: new Map() });
    return boxes.get(mesh);
  };
  for (const { mesh, name, action } of universal?.workloads ?? []) groupOf(box(mesh), name).action = action;
  for (const one of universal?.dataplanes ?? []) {
    lineOf(groupOf(box(one.mesh), one.workload?.name), one.mesh).push({ ...one, kind: 'Dataplane' });
  }
  const made = (mesh) => ({
    ...finished(mesh, boxes.get(mesh), meshes),
    universal: true,
    home: meshes.get(mesh),
  });
  return [...boxes.keys()].sort().map(made);
}

function groupOf(box, workload) {
  if (!box.groups.has(workload)) box.groups.set(workload, { lines: new Map() });
  return box.groups.get(workload);
}

function lineOf(group, mesh) {
  if (!group.lines.has(mesh)) group.lines.set(mesh, []);
  return group.lines.get(mesh);
}

function finished(name, { report, groups }, meshes) {
  const moves = report?.moves ?? [];
  const home = meshes.get(homeOf(report));
  const moving = new Set(moves.map((move) => move.mesh));
  const all = [...groups.entries()]
    .sort(([one], [other]) => order(one, other))
    .map(([workload, group]) => {
      const conflict = group.action === 'conflict' || group.action === 'orphan';
      const lines = [...group.lines.entries()]
        .sort(([one], [other]) => order(one, other))
        .map(([mesh, pods]) => line(meshes.get(mesh), pods, moving.has(mesh)));
      const more = Math.max(0, lines.length - LIMITS.meshes);
      return { workload, action: group.action, conflict, lines: lines.slice(0, LIMITS.meshes), more };
    });
  const shown = gravestFirst(all, (group) => group.conflict);
  const more = Math.max(0, shown.length - LIMITS.groups);
  const split = report?.split ?? false;
  return { name, universal: false, split, home, moves, groups: shown.slice(0, LIMITS.groups), more };
}

/** The mesh that stays: the declared one, or else the one that nothing has to leave. */
function homeOf(report) {
  if (!report) return undefined;
  const moving = new Set(report.moves.map((move) => move.mesh));
  return report.declared?.name ?? report.meshes.find(({ mesh }) => !moving.has(mesh))?.mesh;
}

function line(mesh, pods, moves) {
  const kinds = new Map();
  for (const pod of pods) {
    const kind = { Pod: 'pod', Dataplane: 'dataplane' }[pod.kind] ?? 'template';
    const rejected = Boolean(pod.admission?.rejection);
    const ended = Boolean(pod.finished);
    const key = `${kind} ${rejected} ${ended}`;
    if (!kinds.has(key)) kinds.set(key, { kind, rejected, finished: ended, count: 0 });
    kinds.get(key).count += 1;
  }
  const dots = [...kinds.keys()].sort().map((key) => kinds.get(key));
  return { mesh, dots, total: pods.length, moves };
}

function order(one, other) {
  // What has no name comes last.
  if (one === undefined || other === undefined)
    return Number(one === undefined) - Number(other === undefined);
  return one < other ? -1 : Number(one > other);
}

function gravestFirst(items, grave) {
  return [...items.filter(grave), ...items.filter((item) => !grave(item))];
}
