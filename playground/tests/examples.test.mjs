// Every example shows what it is called after, and every rule and code that a plan can show has an example.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { examples } from '../examples.mjs';
import { installed, root } from './installed.mjs';

/** Rules that no example is called after, and the one that shows them. */
const BY = {
  T2: 'All at once, on Kubernetes',
  T3: 'All at once, on Kubernetes',
  T6: 'mesh-constraints',
  T8: 'Kong’s page on workload identity, on Kubernetes',
};

/** Rules that no plan of manifests can show, and why. */
const NEVER = {
  'a plan has no requests but to create': ['A0', 'A4', 'A12', 'A21', 'P2'],
  'a plan asks no cluster': ['A13'],
  'another command': ['A22', 'T4'],
  'a command of kubectl': ['T1', 'T5'],
  'there is nothing to see': ['L1'],
  'what the reconciler does in a cluster': 'L9 L10 L14 L15 L16 L18 L19 L20 L21 L22 L23'.split(' '),
  'numbers of a cluster': ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7'],
};

/** Codes that only a plan of a cluster has. */
const OF_A_CLUSTER = ['missing-crd', 'missing-grant', 'unread'];

const does = (action) => (report) => report.workloads.some((one) => one.action === action);
const found = (report, code) => report.findings.some((one) => one.code === code);

/** What shows a rule that is no step of a walk, and that no finding is of. */
const EVIDENCE = {
  I4: ({ pods }) => pods.some(({ meshed, reason }) => !meshed && reason.includes('namespace')),
  I5: ({ pods }) => pods.some(({ meshed, admission }) => meshed && admission.verdict === 'rejected'),
  W3: ({ pods }) => pods.some(({ workload }) => workload.source === 'spec.serviceAccountName'),
  W6: ({ workloads }) => workloads.some(({ name }) => name === 'web.v2.shop'),
  A11: ({ pods }) => pods.some(({ kind, admission }) => kind !== 'Pod' && admission.verdict === 'rejected'),
  A14: (report) => report.faults.length > 0 || found(report, 'nothing-planned'),
  A15: ({ pods }) => new Set(pods.map(({ admission }) => admission.verdict)).size === 2,
  L2: does('delete'),
  L3: does('leave'),
  L4: does('create'),
  L5: does('relabel'),
  L6: does('foreign'),
  L7: does('conflict'),
  L8: does('orphan'),
  L12: does('relabel'),
  L13: does('keep'),
  L17: (report) => report.mode === 'observe' && report.workloads.some(({ withheld }) => withheld),
  U2: ({ universal }) =>
    ['bad-name', 'delete', 'leave'].every((action) =>
      universal.workloads.some((one) => one.action === action),
    ),
  ID1: ({ pods }) => pods.some(({ identity }) => identity?.spiffeId?.endsWith('.mesh.local/ns/team/sa/web')),
  ID2: ({ pods }) => pods.some(({ identity }) => identity?.meshIdentity.endsWith('web')),
  ID4: ({ universal }) =>
    universal.dataplanes.some(
      ({ identity }) => identity?.spiffeId === 'spiffe://example.com/workload/demo-workload',
    ),
  T2: ({ pods }) => pods.some(({ mesh, workload }) => mesh?.source && workload?.source),
  T3: ({ namespaces }) => namespaces.some(({ moves }) => moves?.length > 0),
  T8: (report) => found(report, 'idle-annotation'),
};

const all = examples(root);
const called = all.map((example) => [/^([A-Z]+\d+): /.exec(example.name)?.[1], example]);
let plan;
let explain;

before(async () => {
  ({ report: plan, explain } = await installed());
});

function planned({ documents, options, settings }) {
  const given = documents.map(({ name, text }) => ({ name, bytes: text }));
  return plan(given, {
    ...options,
    why: true,
    ...(settings && { settings: { name: 'settings.yml', text: settings } }),
  });
}

/** Whether a report shows a rule. */
function shows(report, rule) {
  if (EVIDENCE[rule]) return EVIDENCE[rule](report);
  const steps = report.pods.flatMap(({ why }) => why ?? []);
  const isOf = ({ code }) => explain(code).rules?.includes(rule);
  return steps.some((step) => step.rule === rule) || report.findings.some(isOf);
}

const documented = (file, pattern) =>
  [...readFileSync(`${root}/${file}`, 'utf8').matchAll(pattern)].map(([, name]) => name);

for (const [rule, example] of called.filter(([name]) => name)) {
  test(`the example “${example.name}” shows its rule`, () => {
    assert.ok(shows(planned(example), rule), JSON.stringify(planned(example)));
  });
}

for (const [rule, name] of Object.entries(BY)) {
  test(`the example “${name}” shows the rule ${rule}`, () => {
    assert.ok(shows(planned(all.find((example) => example.name === name)), rule));
  });
}

test('every rule has an example, or no plan can show it', () => {
  const rules = documented('docs/rules.md', /^\| ([A-Z]+\d+) \|/gm);
  const shown = [...new Set(called.map(([rule]) => rule)), ...Object.keys(BY)].filter(Boolean);
  const listed = [...shown, ...Object.values(NEVER).flat()];
  assert.deepEqual(listed.toSorted(), rules.toSorted());
});

test('every code of a finding has an example, but for those of a cluster', () => {
  const codes = documented('docs/plan.md', /^\| `([a-z-]+)` \| (?:error|warning|note)/gm);
  assert.ok(codes.length > 30);
  const seen = new Set(OF_A_CLUSTER);
  for (const example of all) {
    const own = planned(example).findings.map(({ code }) => code);
    for (const code of own) seen.add(code);
    if (codes.includes(example.name)) assert.ok(own.includes(example.name), example.name);
  }
  assert.deepEqual([...seen].toSorted(), codes.toSorted());
});

test('what the menu has no rule of is called after a code', () => {
  const codes = documented('docs/plan.md', /^\| `([a-z-]+)` \| (?:error|warning|note)/gm);
  for (const [rule, { name, group }] of called) {
    assert.ok(rule || group === 'Manifests' || codes.includes(name), name);
  }
});

test('the examples are small', () => {
  const size = gzipSync(JSON.stringify(all)).length;
  assert.ok(size < 40 * 1024, `${size} bytes`);
});
