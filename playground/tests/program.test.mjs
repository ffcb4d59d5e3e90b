// The package says what the program says, byte for byte.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { inputs } from './inputs.mjs';
import { installed } from './installed.mjs';
import { planned } from './program.mjs';

describe('the plan in JavaScript is that of the program', { concurrency: 4 }, () => {
  let plan;
  before(async () => {
    ({ plan } = await installed());
  });

  for (const { name, documents } of inputs()) {
    it(name, async () => {
      const expected = await planned(documents);
      assert.equal(plan(documents), expected.toString());
    });
  }

  const documents = inputs()[0].documents;
  const settings = 'disallowMultipleMeshesPerNamespace: true\nnamespaceMesh: declared\n';
  for (const [flags, options] of [
    [['--target', 'kuma3'], { target: 'kuma3' }],
    [['--identifiers', 'pods', '--pod-annotation', 'honor'], { identifiers: 'pods', podAnnotation: 'honor' }],
    [['--zone', 'east', '--environment', 'universal'], { zone: 'east', environment: 'universal' }],
    [
      ['--namespace', 'shop', '--workload-labels', 'app,team'],
      { namespace: 'shop', workloadLabels: ['app', 'team'] },
    ],
    [['--default-namespace', 'shop'], { defaultNamespace: 'shop' }],
    [['--settings', 'settings.yml'], { settings: { name: 'settings.yml', text: settings } }],
    [['--settings', 'settings.yml'], { settings: { name: 'settings.yml', text: 'acton: deny\n' } }],
  ]) {
    it(flags.join(' '), async () => {
      const file = options.settings && { name: options.settings.name, bytes: options.settings.text };
      const expected = await planned(documents, flags, file);
      assert.equal(plan(documents, options), expected.toString());
    });
  }

  it('with one document changed after the other', async () => {
    const two = [
      {
        name: 'a.yaml',
        bytes: 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {kuma.io/mesh: m}}\n',
      },
      {
        name: 'b.yaml',
        bytes: 'apiVersion: v1\nkind: Pod\nmetadata: {name: b, labels: {kuma.io/mesh: n}}\n',
      },
    ];
    const changes = [
      two,
      [two[0], { ...two[1], bytes: two[1].bytes.replace(': n', ': m') }],
      [two[1], two[0]],
      [{ ...two[0], name: 'c.yaml' }, two[1]],
      [two[1]],
      two,
    ];
    for (const documents of changes) {
      assert.equal(plan(documents), (await planned(documents)).toString());
    }
  });
});
