// The examples of the playground's menu, made from examples/, the fixtures of the policy, and playground/examples for
// what neither has. A fixture gives the object that is created, and what the cluster has when the policy asks it.
// Files of playground/examples are called RULE-what-it-shows.yaml, or CODE.yaml for a finding's code.

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
  'a7-predecessor-of-the-name',
  'a8-membership-stays',
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

const KUMA3_OPTIONS = { options: { target: 'kuma3' } };

/** As kubectl reads it: with the words of YAML 1.1 in quotes. */
const YAML = { version: '1.1', lineWidth: 0 };

/** The menu's groups of rules, by the letters of their numbers, in their order. */
const GROUPS = {
  m: 'Rules: the mesh',
  i: 'Rules: in a mesh or not',
  w: 'Rules: the workload',
  a: 'Rules: admission',
  p: 'Rules: who writes Workloads',
  l: 'Rules: life of a Workload',
  u: 'Rules: Universal',
  id: 'Rules: MeshIdentity',
  t: 'Rules: what people run',
};

/** What files of playground/examples are planned with, where that is not the defaults. */
const WITH = {
  'p1-who-writes-workloads': { settings: 'protectWorkloads: deny\n' },
  'mesh-constraints': KUMA3_OPTIONS,
  'old-mesh-name': KUMA3_OPTIONS,
  'workload-owner': KUMA3_OPTIONS,
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
  const ofFixtures = FIXTURES.map((stem) => ({ stem, ...ofFixture(root, stem) }));
  const ofFiles = readdirSync(join(root, FILES)).map((file) => ofFile(root, file));
  const ofRules = [...ofFixtures, ...ofFiles].filter(({ stem }) => ruleOf(stem));
  const rest = ofFiles.filter(({ stem }) => !ruleOf(stem)).map(withoutStem);
  const ofKuma3 = KUMA3.map((stem) => ({ ...ofFixture(root, stem), ...KUMA3_OPTIONS, group: OF_KUMA3 }));
  return [
    ...FOLDERS.map((one) => ofFolder(root, one)),
    ...ofRules.sort((one, other) => place(one) - place(other)).map(withoutStem),
    ...rest.filter(({ group }) => group !== OF_KUMA3),
    ...ofKuma3,
    ...rest.filter(({ group }) => group === OF_KUMA3),
  ];
}

const FILES = 'playground/examples';
const OF_KUMA3 = 'What Kuma 3 changes';

/** The letters and the number of the rule that a file or a fixture is called after, if it is after one. */
function ruleOf(stem) {
  const [, letters, number] = /^([a-z]+)(\d+)-/.exec(stem) ?? [];
  return letters && { letters, number: Number(number) };
}

/** Rules are in the order of docs/rules.md. */
function place({ stem }) {
  const { letters, number } = ruleOf(stem);
  return Object.keys(GROUPS).indexOf(letters) * 100 + number;
}

function withoutStem({ stem, ...example }) {
  return example;
}

function ofFile(root, file) {
  const stem = file.replace(/\.yaml$/, '');
  const isOfKuma3 = WITH[stem]?.options?.target === 'kuma3';
  const example = {
    name: ruleOf(stem) ? title(stem) : stem,
    group: isOfKuma3 ? OF_KUMA3 : (GROUPS[ruleOf(stem)?.letters] ?? 'Other findings'),
    documents: [{ name: file, text: read(root, FILES, file) }],
  };
  return { stem, ...example, ...WITH[stem] };
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
    group: GROUPS[ruleOf(stem).letters],
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
