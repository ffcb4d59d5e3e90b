/** A letter and a colour for each mesh, the same in the tables and in the picture. */

/** How many colours there are; further meshes share them, and differ by their letters. */
export const COLOURS = 8;

/**
 * @param {object} report
 * @returns {Map<string, {name: string, letter: string, colour: number}>} `default` first, then by name
 */
export function meshesOf(report) {
  const names = new Set();
  for (const { declared, meshes } of report.namespaces) {
    if (declared) names.add(declared.name);
    for (const { mesh } of meshes) names.add(mesh);
  }
  for (const { meshes } of report.workloads) for (const { mesh } of meshes) names.add(mesh);
  for (const { mesh, dataplane } of report.pods) {
    if (mesh) names.add(mesh.name);
    if (dataplane) names.add(dataplane.mesh);
  }
  for (const { mesh } of report.universal?.dataplanes ?? []) names.add(mesh);
  for (const { mesh } of report.universal?.workloads ?? []) names.add(mesh);
  const first = names.delete('default') ? ['default'] : [];
  const sorted = [...first, ...[...names].sort()];
  return new Map(
    sorted.map((name, index) => [name, { name, letter: letters(index), colour: index % COLOURS }]),
  );
}

/** A to Z, then AA to ZZ, and so on. */
export function letters(index) {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}
