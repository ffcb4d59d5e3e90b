// The examples of the playground's menu, made from examples/ and the fixtures of the policy: a fixture gives the
// object that is created, and what the cluster has when the policy asks it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

/** Folders of manifests, and what they are called in the menu. */
const FOLDERS = [
  {
    name: 'All at once, on Kubernetes',
    folder: 'examples/plan/kubernetes',
    settings: 'examples/settings.yml',
  },
  { name: 'All at once, on Universal', folder: 'examples/plan/universal' },
  { name: 'Kong’s page on workload identity, on Kubernetes', folder: 'examples/page/kubernetes' },
  { name: 'Kong’s page on workload identity, on Universal', folder: 'examples/page/universal' },
];

/** For each rule of which a plan says something, the fixtures that show it best. */
const FIXTURES = [
  'm1-namespace-label',
  'm2-pod-annotation',
  'm3-pinned-label-decides',
  'm4-impossible-name',
  'i1-namespace-injects',
  'i2-namespace-does-not-inject',
  'i3-own-label-off',
  'i4-namespace-without-the-key',
  'i5-ingress-annotation-exempts-nothing',
  'i6-unknown-words-in-annotations',
  'i6-namespace-says-yes',
  'w1-first-label-with-a-value',
  'w2-default-service-account',
  'w5-bad-name-is-rejected',
  'w7-annotation-has-no-effect',
  'a1-forged-label',
  'a2-deployment',
  'a2-job-of-a-cron-job',
  'a3-annotation-in-a-template',
  'a5-second-mesh',
  'a6-no-field-is-default',
  'a9-warn',
  'a11-declared-rejects',
  'a14-odd-spec-under-the-mesh-rule',
  'a14-another-kind',
  'a16-zone-proxy-is-judged-all-the-same',
  'a17-another-mesh',
  'a18-split-already',
  'a19-kube-system',
  'a20-closed-mesh',
  'a20-namespace-created',
];

/** What Kuma 3 changes, by the same fixtures. */
const KUMA3 = ['i1-builtin-gateway', 'm2-pod-annotation', 'i5-ingress-annotation-exempts-nothing'];

/** As kubectl reads it: with the words of YAML 1.1 in quotes. */
const YAML = { version: '1.1', lineWidth: 0 };

const GROUPS = {
  m: 'Rules: the mesh',
  i: 'Rules: in a mesh or not',
  w: 'Rules: the workload',
  a: 'Rules: admission',
};

/** What the API server adds, and no rule reads. */
const NOISE = ['uid', 'creationTimestamp', 'managedFields', 'resourceVersion', 'generation'];

/**
 * The examples.
 *
 * @param {string} root the repository
 * @returns {Array<{ name: string, group: string, documents: Array<{ name: string, text: string }>,
 *   settings?: string, options?: object }>} the examples
 */
export function examples(root) {
  return [
    ...FOLDERS.map((one) => ofFolder(root, one)),
    ...FIXTURES.map((stem) => ofFixture(root, stem)),
    ...KUMA3.map((stem) => ({
      ...ofFixture(root, stem),
      group: 'What Kuma 3 changes',
      options: { target: 'kuma3' },
    })),
  ];
}

function ofFolder(root, { name, folder, settings }) {
  const files = readdirSync(join(root, folder)).sort();
  const documents = files.map((file) => ({ name: file, text: read(root, folder, file) }));
  return { name, group: 'Manifests', documents, settings: settings && read(root, settings) };
}

function ofFixture(root, stem) {
  const file = (ending) => {
    const path = join(root, 'e2e-tests/fixtures', `${stem}.${ending}`);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  };
  const { request } = JSON.parse(file('json'));
  const name = `${request.kind.kind.toLowerCase()}.yaml`;
  const cluster = answers(file('session.yml'));
  const documents = [{ name, text: manifest([request.object]) }];
  if (cluster.length > 0) documents.push({ name: 'cluster.yaml', text: manifest(cluster) });
  const settings = file('settings.json');
  return {
    name: title(stem),
    group: GROUPS[stem[0]],
    documents,
    settings: settings ? stringify(JSON.parse(settings), YAML) : undefined,
  };
}

/** The objects that the cluster answers with, each once. */
function answers(session) {
  const found = new Map();
  for (const { response } of parse(session) ?? []) {
    const object = response.type === 'Success' ? JSON.parse(response.payload) : null;
    for (const one of object?.items ?? [object]) {
      if (!one?.metadata?.name || !one.kind) continue;
      found.set(`${one.kind} ${one.metadata.namespace} ${one.metadata.name}`, one);
    }
  }
  return [...found.values()];
}

function manifest(objects) {
  return objects.map((object) => stringify(plain(object), YAML)).join('---\n');
}

function plain(object) {
  const metadata = { ...object.metadata };
  for (const key of NOISE) delete metadata[key];
  return { ...object, metadata };
}

/** `a5-second-mesh` as `A5: second mesh`. */
function title(stem) {
  const [rule, ...words] = stem.split('-');
  return `${rule.toUpperCase()}: ${words.join(' ')}`;
}

function read(...path) {
  return readFileSync(join(...path), 'utf8');
}
