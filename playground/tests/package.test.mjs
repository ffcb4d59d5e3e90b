// The npm package in an empty project: it plans the examples, and its types are those of what it gives.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { project, root } from './installed.mjs';

describe('the package in an empty project', () => {
  let home;
  before(() => {
    home = project();
  });
  after(() => home.remove());

  const run = (script) => {
    writeFileSync(join(home.folder, 'script.js'), script);
    return execFileSync('node', ['script.js'], { cwd: home.folder, encoding: 'utf8' });
  };

  it('plans an example', () => {
    const example = join(root, 'examples/plan/kubernetes/shop.yaml');
    const printed = run(`
      import { readFileSync } from 'node:fs';
      import { report } from 'kuma-workload-plan';
      const bytes = readFileSync(${JSON.stringify(example)});
      console.log(report([{ name: 'shop.yaml', bytes }]).pods.length);`);
    assert.ok(Number(printed) > 0, printed);
  });

  it('runs the example of its README', () => {
    const readme = readFileSync(join(root, 'playground/npm/README.md'), 'utf8');
    const [, script] = readme.match(/```js\n(.*?)```/s);
    writeFileSync(
      join(home.folder, 'app.yaml'),
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {kuma.io/workload: b}}\n',
    );
    assert.match(run(script), /^error forged-label: .*\n {2}-> remove the label/m);
  });

  it('says in one sentence which option there is not', () => {
    const printed = run(`
      import { plan } from 'kuma-workload-plan';
      try { plan([], { zones: 'east' }); } catch (error) { console.log(error.message); }`);
    assert.match(printed, /^the options cannot be read: unknown field `zones`/);
  });

  for (const [name, documents, expected] of [
    ['has no name', '[{ bytes: "" }]', 'a document needs a name, which is a string'],
    ['has a number for a name', '[{ name: 1, bytes: "" }]', 'a document needs a name, which is a string'],
    ['has no bytes', '[{ name: "a" }]', 'document "a" needs bytes: a Uint8Array or a string'],
    [
      'has an ArrayBuffer',
      '[{ name: "a", bytes: new ArrayBuffer(3) }]',
      'document "a" needs bytes: a Uint8Array or a string',
    ],
    ['is null', '[null]', 'a document needs a name, which is a string'],
  ]) {
    it(`says so of a document that ${name}`, () => {
      const printed = run(`
        import { plan } from 'kuma-workload-plan';
        try { plan(${documents}); } catch (error) { console.log(error.message); }`);
      assert.equal(printed, `${expected}\n`);
    });
  }

  it('goes on after a document that needs more stack than there is', () => {
    const printed = run(`
      import { report } from 'kuma-workload-plan';
      const deep = '['.repeat(1_000_000);
      console.log(report([{ name: 'a', bytes: deep }]).faults.length);
      console.log(report([{ name: 'a', bytes: 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: a}\\n' }]).pods.length);`);
    assert.equal(printed, '1\n1\n');
  });

  it('has the types of what it gives', () => {
    writeFileSync(
      join(home.folder, 'typed.ts'),
      `import { type Document, type Report, mask, plan, report, request, version } from 'kuma-workload-plan';
       const documents: Document[] = [{ name: 'a', bytes: new Uint8Array() }, { name: 'b', bytes: '' }];
       const said: Report = report(documents, { target: 'kuma3', settings: { name: 's', text: '' } });
       const words: string[] = [plan(documents), mask(''), version(), said.findings[0].message];
       const sent: object = request(documents[0], { kind: 'Pod', name: 'a' }).review;
       // @ts-expect-error: there is no such target
       report(documents, { target: 'kuma4' });
       export { words, sent };`,
    );
    const compiler = join(root, 'playground/node_modules/typescript/bin/tsc');
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', 'typed.ts'];
    execFileSync('node', [compiler, ...flags], { cwd: home.folder, stdio: 'inherit' });
  });
});
