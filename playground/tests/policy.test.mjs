// The page's verdicts are those of the built policy, case by case. The policy's come from files that policy-host
// writes in the same run (`make playground-test`): each is a list of AdmissionReviews.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { files } from './inputs.mjs';
import { installed, root } from './installed.mjs';

const verdicts = (name) =>
  JSON.parse(readFileSync(join(process.env.VERDICTS, `${name}.json`), 'utf8')).filter(
    ({ request, verdict }) => request.operation === 'CREATE' && verdict !== 'not judged',
  );
const read = (path) => readFileSync(join(root, path));
const readJson = (path) => JSON.parse(read(path));
const documents = (folder) => files(folder).map((path) => ({ name: path, bytes: read(path) }));

/** Kinds that the plan judges as objects; it says of Workloads only whose they are. */
const KINDS =
  /^(Pod|Namespace|Deployment|ReplicaSet|StatefulSet|DaemonSet|ReplicationController|Job|CronJob)$/;

/** What the policy says: kubectl is given warnings in lines of at most 120 characters. */
function ofPolicy({ response }) {
  const message = response.allowed ? undefined : response.status.message;
  return { message, warnings: (response.warnings ?? []).join(' ') };
}

/** What the report says of an object. */
function ofReport(report, { kind, namespace, name }) {
  if (kind === 'Namespace') {
    const about = report.findings.filter(
      ({ objects }) => objects?.length === 1 && objects[0].kind === 'Namespace' && objects[0].name === name,
    );
    const admission = about.filter(({ code }) =>
      ['bad-mesh-name', 'closed-mesh', 'switch-word'].includes(code),
    );
    const sentence = (severity) =>
      admission.find((one) => one.severity === severity)?.message.replace(`Namespace "${name}": `, '');
    return { message: sentence('error'), warnings: sentence('warning') ?? '' };
  }
  const pod = report.pods.find(
    (one) =>
      one.kind === kind && one.namespace === namespace && (one.name === name || one.name.endsWith('*')),
  );
  // A template whose controller was read is left out: that one says the same, and the policy judges it (A2).
  const isSpokenFor = kind === 'ReplicaSet' && report.pods.some((one) => one.kind === 'Deployment');
  assert.ok(pod ?? isSpokenFor, `${kind} ${namespace}/${name} is in the report`);
  // An audit accepts a Pod that has finished, and nobody can create one (A15).
  if (pod?.finished ?? true) {
    return undefined;
  }
  const { verdict, rejection, warnings } = pod.admission;
  return {
    // A template that is let in, whose Pods are refused (A11).
    message: verdict === 'rejected' ? rejection.message : undefined,
    podsRejected: verdict === 'pods-rejected',
    warnings: warnings.map((warning) => warning.message).join(' '),
  };
}

function compare(report, review) {
  const { kind, namespace, name } = review.request;
  const expected = ofPolicy(review);
  const of = ofReport(report, { kind: kind.kind, namespace, name });
  if (!of) {
    return;
  }
  const { podsRejected, ...found } = of;
  if (podsRejected) {
    // What the policy warns of here is told as the rejection of the Pods.
    assert.equal(expected.message, undefined);
    assert.ok(expected.warnings.includes(found.warnings));
  } else {
    assert.deepEqual(found, expected);
  }
}

describe('the verdicts in JavaScript are those of the policy', () => {
  let report;
  before(async () => {
    ({ report } = await installed());
  });

  const asked = ({ place }) => readJson(place.file.replace(/json$/, 'expected.json')).hostCalls > 0;
  const fixtures = verdicts('fixtures').filter(
    (review) => !asked(review) && KINDS.test(review.request.kind.kind),
  );
  for (const review of fixtures.filter(({ place }) => readJson(place.file).request.object)) {
    const { file } = review.place;
    it(`${file}, which asks nothing of the cluster`, () => {
      const settings = file.replace(/json$/, 'settings.json');
      const text = existsSync(join(root, settings)) ? read(settings).toString() : '{}';
      const { namespace, object } = readJson(file).request;
      object.metadata.namespace ??= namespace;
      const bytes = JSON.stringify(object);
      const said = report([{ name: file, bytes }], { settings: { name: settings, text } });
      // What no API server takes is a fault of the document here, and never gets as far as a rule (A14).
      if (!/odd-|wrong-type/.test(file)) {
        compare(said, review);
      } else {
        assert.ok(said.faults.length > 0 && said.pods.length === 0);
      }
    });
  }

  const settings = { name: 'examples/settings.yml', text: read('examples/settings.yml').toString() };
  for (const review of verdicts('requests').filter((one) => KINDS.test(one.request.kind.kind))) {
    const { file } = review.place;
    it(`${file}, in the cluster of the examples`, () => {
      const own = file.replace(/json$/, 'settings.json');
      const given = existsSync(join(root, own)) ? { name: own, text: read(own).toString() } : settings;
      const bytes = JSON.stringify(readJson(file).request.object);
      const all = [...documents('examples/cluster'), { name: file, bytes }];
      compare(report(all, { settings: given }), review);
    });
  }

  const manifests = verdicts('manifests').filter((one) => KINDS.test(one.request.kind.kind));
  for (const review of manifests) {
    const { kind, namespace, name } = review.request;
    it(`${kind.kind} ${namespace}/${name} of examples/plan, in the cluster of all of them`, () => {
      compare(report(documents('examples/plan/kubernetes'), { settings }), review);
    });
  }

  it('there is something to compare', () => {
    assert.ok(fixtures.length >= 50, `${fixtures.length} fixtures`);
    assert.ok(manifests.length >= 10, `${manifests.length} manifests`);
  });
});
