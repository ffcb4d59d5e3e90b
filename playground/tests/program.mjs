// What the program says of the same documents.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const program = process.env.KUMA_WORKLOAD_BIN;

/** The bytes that `kuma-workload plan -o json` prints of documents under their names; a file
 * of settings may be beside them. */
export async function planned(documents, flags = [], settings = undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'kuma-workload-'));
  try {
    for (const { name, bytes } of settings ? [...documents, settings] : documents) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    const names = documents.map(({ name }) => name);
    return await run(['plan', '--output', 'json', ...flags, ...names], folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Its exit status is 1 or 2 where there is something to say. */
function run(args, cwd) {
  const options = { cwd, encoding: 'buffer', maxBuffer: 1 << 28 };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        reject(error);
      } else if (stdout.length === 0) {
        reject(new Error(`${program} printed nothing: ${stderr}`));
      } else {
        resolve(stdout);
      }
    });
  });
}
