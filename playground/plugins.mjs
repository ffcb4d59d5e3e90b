// What the page imports and no file holds: made from the repository when the page is bundled by esbuild.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { examples } from './examples.mjs';

const PAGE = new URL('./page/', import.meta.url).pathname;

/**
 * A plugin for modules that are made: `virtual:NAME`.
 *
 * @param {Record<string, () => string | Promise<string>>} sources the source of each, by its name
 * @returns {import('esbuild').Plugin} the plugin
 */
export function virtual(sources) {
  return {
    name: 'virtual',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^virtual:/ }, ({ path }) => ({
        path: path.slice('virtual:'.length),
        namespace: 'virtual',
      }));
      onLoad({ filter: /.*/, namespace: 'virtual' }, async ({ path }) => {
        if (!(path in sources)) return { errors: [{ text: `nothing makes the module virtual:${path}` }] };
        return { contents: await sources[path](), loader: 'js', resolveDir: PAGE };
      });
    },
  };
}

/**
 * The modules that the page imports.
 *
 * @param {object} how
 * @param {string} how.root the repository
 * @param {string} how.glue the file kuma_workload_plan.js, beside the module
 * @param {boolean} how.single whether all is in one file
 * @param {string} how.version the version of the project
 * @returns {import('esbuild').Plugin} the plugin
 */
export function modules({ root, glue, single, version }) {
  const value = (made) => `export default ${JSON.stringify(made)};`;
  return virtual({
    /** The questions of the settings' form. */
    questions: () => value(parse(readFileSync(join(root, 'questions-ui.yml'), 'utf8')).questions),
    /** A function that gives the examples. */
    examples: () => {
      if (!single) return `export default async () => (await fetch('./examples.json')).json();`;
      return `const all = ${JSON.stringify(examples(root))};\nexport default async () => all;`;
    },
    /** A function that gives the compiled module. */
    compiled: () => {
      if (!single) return `export { compileServed as compile } from './worker/compile.js';`;
      const base64 = readFileSync(glue.replace(/\.js$/, '_bg.wasm')).toString('base64');
      return `import { compileInline } from './worker/compile.js';
              export const compile = () => compileInline(${JSON.stringify(base64)});`;
    },
    /** The source of the worker. */
    worker: async () => value(await workerSource(glue)),
    /** What is built, and with what it begins. */
    build: () => value({ version, starter: examples(root).find(({ name }) => name.startsWith('A5')) }),
  });
}

/** The worker, in one script. */
async function workerSource(glue) {
  const { outputFiles } = await build({
    entryPoints: [join(PAGE, 'worker/worker.js')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    plugins: [virtual({ module: () => `export * from ${JSON.stringify(glue)};` })],
  });
  return outputFiles[0].text;
}
