/** Reports by the schema of `plan/src/report.rs`, for the tests of what shows them. */

/** A name that tries everything: HTML, Markdown, a mention, a reference, and characters that turn or hide text. */
export const HOSTILE = '<img src=x onerror=alert(1)>|`@jane` #123 [a](http://b) \u202Eabc\u0007\n# x';

/** A Pod; what is given replaces what it has. */
export function pod(name, given = {}) {
  return {
    kind: 'Pod',
    namespace: 'shop',
    name,
    meshed: true,
    reason: 'its namespace injects',
    finished: false,
    mesh: { name: 'default', source: 'pod-label' },
    workload: { name: 'web', source: 'spec.serviceAccountName' },
    admission: { verdict: 'accepted', warnings: [] },
    identity: { meshIdentity: 'everyone', spiffeId: `spiffe://default/ns/shop/workload/${name}` },
    place: { file: 'shop.yaml', line: 3, column: 1 },
    ...given,
  };
}

/** A finding; what is given replaces what it has. */
export function finding(given = {}) {
  return {
    severity: 'error',
    code: 'conflict',
    message:
      'namespace "shop": workload "web" has proxies in meshes "default" and "payments": no Workload is made',
    remedy: 'move Pods "web-0" and "web-1" to one mesh',
    count: 2,
    objects: [
      {
        kind: 'Pod',
        namespace: 'shop',
        name: 'web-0',
        count: 1,
        place: { file: 'shop.yaml', line: 3, column: 1 },
      },
      {
        kind: 'Pod',
        namespace: 'shop',
        name: 'web-1',
        count: 1,
        place: { file: 'shop.yaml', line: 9, column: 1 },
      },
    ],
    place: { file: 'shop.yaml', line: 3, column: 1 },
    ...given,
  };
}

/** A report with these parts; its summary counts them. */
export function report(parts = {}) {
  const made = {
    schema: 1,
    mode: 'manage',
    namespaces: [],
    workloads: [],
    pods: [],
    findings: [],
    faults: [],
    skippedKinds: [],
    ...parts,
  };
  const of = (severity) => made.findings.filter((one) => one.severity === severity).length;
  const counts = {
    errors: of('error'),
    warnings: of('warning'),
    notes: of('note'),
    faults: made.faults.length,
  };
  return { ...made, summary: { objects: made.pods.length, skipped: 0, passedOver: 0, ...counts } };
}

/** Pods of two meshes in one namespace and one Workload, one of them refused. */
export function split() {
  const payments = { name: 'payments', source: 'pod-label' };
  const message = 'cannot manually set kuma.io/workload label on Pod; it is automatically managed by Kuma';
  const rejection = { rule: 'forged-label', message };
  return report({
    namespaces: [
      {
        name: 'shop',
        injects: true,
        meshes: [
          { mesh: 'default', pods: 2, dataplanes: 0, templates: 1 },
          { mesh: 'payments', pods: 1, dataplanes: 0, templates: 0 },
        ],
        split: true,
        moves: [{ kind: 'Pod', name: 'web-1', mesh: 'payments', pods: 1 }],
      },
    ],
    workloads: [
      {
        namespace: 'shop',
        name: 'web',
        action: 'conflict',
        withheld: false,
        meshes: [
          { mesh: 'default', dataplanes: 0, coming: 3 },
          { mesh: 'payments', dataplanes: 0, coming: 1 },
        ],
      },
    ],
    pods: [
      pod('web', { kind: 'Deployment' }),
      pod('web-0'),
      pod('web-1', { mesh: payments, place: { file: 'shop.yaml', line: 9, column: 1 } }),
      pod('web-2', { admission: { verdict: 'rejected', rejection, warnings: [] } }),
    ],
    findings: [
      finding(),
      finding({ severity: 'note', code: 'namespace-not-read', message: 'it is not', objects: [], count: 1 }),
    ],
    faults: [{ place: { file: 'broken.yaml', line: 1, column: 4 }, message: 'this is no YAML' }],
    skippedKinds: [{ apiVersion: 'v1', kind: 'Service', count: 2 }],
  });
}

/** Every name in it is hostile. */
export function hostile() {
  const mesh = { name: HOSTILE, source: HOSTILE };
  const place = { file: HOSTILE, line: 1, column: 1 };
  const objection = { rule: 'second-mesh', message: HOSTILE };
  const counts = { mesh: HOSTILE, pods: 1, dataplanes: 1, templates: 1 };
  const identity = { meshIdentity: HOSTILE, spiffeId: HOSTILE, fault: HOSTILE };
  const object = { kind: HOSTILE, namespace: HOSTILE, name: HOSTILE, count: 1, place: { ...place, line: 2 } };
  const moves = [{ kind: HOSTILE, name: HOSTILE, mesh: 'b', pods: 1 }];
  const dataplane = { mesh: HOSTILE, workload: `${HOSTILE}2` };
  const meshes = [{ mesh: HOSTILE, dataplanes: 1, coming: 1 }];
  const admission = { verdict: 'rejected', rejection: objection, warnings: [objection] };
  return report({
    namespaces: [{ name: HOSTILE, declared: mesh, injects: true, meshes: [counts], split: true, moves }],
    workloads: [
      {
        namespace: HOSTILE,
        name: HOSTILE,
        action: 'conflict',
        withheld: true,
        meshes,
        managedBy: HOSTILE,
        place,
      },
    ],
    pods: [
      pod(HOSTILE, {
        namespace: HOSTILE,
        reason: HOSTILE,
        mesh,
        workload: mesh,
        dataplane,
        admission,
        identity,
        place,
      }),
    ],
    universal: {
      dataplanes: [{ mesh: HOSTILE, name: HOSTILE, workload: mesh, identity, place }],
      workloads: [{ mesh: HOSTILE, name: HOSTILE, action: 'create', dataplanes: 1, managedBy: HOSTILE }],
    },
    findings: [finding({ message: HOSTILE, remedy: HOSTILE, objects: [object], place })],
    faults: [{ place, message: HOSTILE }],
    skippedKinds: [{ apiVersion: HOSTILE, kind: HOSTILE, count: 1 }],
  });
}

/** Many Pods in twenty namespaces, and as many findings as there may well be. */
export function many(count) {
  const namespaces = Array.from({ length: 20 }, (_, index) => `team-${index}`);
  const place = (index) => ({ file: `${index}.yaml`, line: 1, column: 1 });
  const pods = Array.from({ length: count }, (_, index) =>
    pod(`web-${index}`, { namespace: namespaces[index % 20], place: place(index) }),
  );
  const objects = (index) => [
    { kind: 'Pod', namespace: 'x', name: `web-${index}`, count: 1, place: place(index) },
  ];
  const findings = Array.from({ length: Math.min(count, 500) }, (_, index) =>
    finding({
      severity: 'warning',
      message: `Pod ${index}`,
      objects: objects(index),
      place: place(index),
      count: 1,
    }),
  );
  const meshes = [{ mesh: 'default', pods: count / 20, dataplanes: 0, templates: 0 }];
  const workload = { name: 'web', action: 'create', withheld: false };
  return report({
    namespaces: namespaces.map((name) => ({ name, injects: true, meshes, split: false, moves: [] })),
    workloads: namespaces.map((namespace) => ({
      namespace,
      ...workload,
      meshes: [{ mesh: 'default', dataplanes: 0, coming: count / 20 }],
    })),
    pods,
    findings,
  });
}
