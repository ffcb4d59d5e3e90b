// The npm package, installed from its tarball into an empty project, as its users have it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The tarball that the build made. */
export function tarball() {
  const found = readdirSync(join(root, 'dist')).filter((name) => /^kuma-workload-plan-.*\.tgz$/.test(name));
  if (found.length !== 1) {
    throw new Error(`dist has ${found.length} tarballs of the package; run scripts/playground package`);
  }
  return join(root, 'dist', found[0]);
}

/** An empty project with the package in it, and its folder; `remove` when done. */
export function project() {
  const folder = mkdtempSync(join(tmpdir(), 'kuma-workload-plan-'));
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  execFileSync('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', tarball()], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** What the package exports, from such a project. */
export async function installed() {
  const { folder, remove } = project();
  const entry = join(folder, 'node_modules/kuma-workload-plan/node.js');
  try {
    return await import(pathToFileURL(entry));
  } finally {
    remove();
  }
}
