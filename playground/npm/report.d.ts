// The report, as docs/plan.md describes it. Made from the program's own types by `cargo test --test types`.

/** The whole plan. */
export interface Report {
  /** What could not be read, and is left out of the rest. */
  faults: Fault[];
  /** What there is to say. */
  findings: FindingReport[];
  /** Whether `run` in mode `auto` would write Workloads: `manage`, or `observe` where a control plane manages them itself. */
  mode: string;
  /** The Namespaces that have something in a mesh, or declare one. */
  namespaces: NamespaceReport[];
  /** Pods, Pod templates, and Dataplanes whose Pod was not read. */
  pods: PodReport[];
  /** The version of this schema: 1. */
  schema: number;
  /** The kinds of the objects that do not matter here. */
  skippedKinds: SkippedKind[];
  /** How much there is. */
  summary: Summary;
  /** What was read in Universal's form, if anything was. */
  universal?: UniversalReport;
  /** The Workloads that exist or should. */
  workloads: WorkloadReport[];
}

/** What admission would say. */
export interface AdmissionReport {
  /** Why it is rejected. */
  rejection?: ObjectionReport;
  /** `accepted`; `rejected`; or `pods-rejected`, of a template that is let in and whose Pods are not. */
  verdict: string;
  /** What it warns of. */
  warnings: ObjectionReport[];
}

/** The Dataplane of a Pod. */
export interface DataplaneReport {
  /** Its mesh. */
  mesh: string;
  /** Its identifier as it is stored, if one is. */
  workload?: string;
}

/** Input that cannot be read, as one sentence. */
export interface Fault {
  /** What is wrong there, and what to do. */
  message: string;
  /** Where. */
  place: Place;
}

/** Something that the plan has to say. What has one cause is said once. */
export interface FindingReport {
  /** What it is about; `docs/plan.md` lists the codes. */
  code: string;
  /** In how many Pods, templates or other objects it is found; 1 where it is about none. */
  count: number;
  /** What is found. */
  message: string;
  /** The first of the objects that people change, three at most; none where it is about none. */
  objects?: ObjectReport[];
  /** Where it stands, if it was read from a file; of several places, the first. */
  place?: Place;
  /** What to do about it. */
  remedy: string;
  /** `error`, `warning` or `note`. */
  severity: string;
}

/** The identity of a proxy. */
export interface IdentityReport {
  /** Why there is none. */
  fault?: string;
  /** The MeshIdentity. */
  meshIdentity: string;
  /** The SPIFFE ID. */
  spiffeId?: string;
}

/** What a mesh has in a Namespace. */
export interface MeshCount {
  /** Its Dataplanes. */
  dataplanes: number;
  /** The mesh. */
  mesh: string;
  /** Its Pods that have not finished. */
  pods: number;
  /** Its Pod templates that count because neither Pods nor Dataplanes of theirs were read. */
  templates: number;
}

/** Something that would have to move to another namespace or mesh: what people change, such as the Deployment of the Pods. */
export interface Move {
  /** Its kind. */
  kind: string;
  /** The mesh that it is in. */
  mesh: string;
  /** Its name. */
  name: string;
  /** How many Pods of it there are in that mesh; 0 of a template whose Pods are yet to come. */
  pods: number;
}

/** A Namespace. */
export interface NamespaceReport {
  /** The mesh that it declares, and by what; none where nothing is declared. */
  declared?: Sourced;
  /** Whether it injects Pods that do not say otherwise. */
  injects: boolean;
  /** The meshes that have something in it. */
  meshes: MeshCount[];
  /** What would have to move, so that one mesh is left. */
  moves: Move[];
  /** Its name. */
  name: string;
  /** Whether these are several. */
  split: boolean;
}

/** An object that a finding is about: what people change, such as the Deployment of Pods. */
export interface ObjectReport {
  /** In how many it is found: the object itself, and those that it controls. */
  count: number;
  /** Its kind. */
  kind: string;
  /** On Universal, its mesh, if it has one. */
  mesh?: string;
  /** Its name. */
  name: string;
  /** Its namespace, if it has one. */
  namespace?: string;
  /** Where it stands, if it was read from a file. */
  place?: Place;
}

/** What a rule has against an object. */
export interface ObjectionReport {
  /** Its sentence. */
  message: string;
  /** The rule, as `docs/messages.md` names it. */
  rule: string;
}

/** A place in a file. */
export interface Place {
  /** The column, in characters. */
  column: number;
  /** The document's name; `-` is the standard input. */
  file: string;
  /** The line. */
  line: number;
}

/** A Pod, a Pod template, or a Dataplane whose Pod was not read. */
export interface PodReport {
  /** What admission would say; none of Dataplanes. */
  admission?: AdmissionReport;
  /** Its Dataplane, if there is one. */
  dataplane?: DataplaneReport;
  /** Whether its Pods have all ended: then it does not count. */
  finished: boolean;
  /** Its identity, if a MeshIdentity selects it. */
  identity?: IdentityReport;
  /** Its kind. */
  kind: string;
  /** Its mesh: `pod-label`, `pod-annotation`, `namespace-label`, `namespace-annotation`, `default`, or `dataplane` where its Pod was not read. */
  mesh?: Sourced;
  /** Whether it is or will be in a mesh. */
  meshed: boolean;
  /** Its name; `web-*` where the API server will make it from `generateName`. */
  name: string;
  /** Its namespace. */
  namespace: string;
  /** Where it stands, if it was read from a file. */
  place?: Place;
  /** Why, or why not. */
  reason: string;
  /** The walk through the rules that led to all that, if it was asked for. */
  why?: StepReport[];
  /** Its workload as it is computed today: `label KEY`, `spec.serviceAccountName`, `the default ServiceAccount`, `annotation kuma.io/workload`; or `dataplane`. */
  workload?: Sourced;
}

/** Those of one mesh that refer to a Workload. */
export interface ReferenceCount {
  /** Pods and templates whose Dataplanes are to come. */
  coming: number;
  /** Dataplanes that are there. */
  dataplanes: number;
  /** The mesh. */
  mesh: string;
}

/** A kind that does not matter here. */
export interface SkippedKind {
  /** Its apiVersion; none in Kuma's own form. */
  apiVersion?: string;
  /** How many objects there are of it. */
  count: number;
  /** The kind, or the type in Kuma's own form; none of documents that do not say. */
  kind?: string;
}

/** A name, and where it came from. */
export interface Sourced {
  /** The name. */
  name: string;
  /** Where it came from. */
  source: string;
}

/** A step of a walk. */
export interface StepReport {
  /** What was looked at, and what was found. Of a rule that warns or rejects, its sentence. */
  message: string;
  /** `fact`, `passes`, `warns`, `rejects`, or `ends`: no later rule is asked. */
  outcome: string;
  /** The number of the rule, as `docs/rules.md` has it. */
  rule: string;
}

/** How much there is. */
export interface Summary {
  /** Findings of severity `error`. */
  errors: number;
  /** Documents, objects or settings that could not be read. */
  faults: number;
  /** Findings of severity `note`. */
  notes: number;
  /** Objects that were read. */
  objects: number;
  /** Files of folders that have nothing to do with Kubernetes or Kuma. */
  passedOver: number;
  /** Objects that do not matter here. */
  skipped: number;
  /** Findings of severity `warning`. */
  warnings: number;
}

/** A Dataplane of Universal. */
export interface UniversalDataplaneReport {
  /** Its identity, if a MeshIdentity selects it. */
  identity?: IdentityReport;
  /** Its mesh. */
  mesh: string;
  /** Its name. */
  name: string;
  /** Where it stands. */
  place?: Place;
  /** Its workload: `label` or `tag`. */
  workload?: Sourced;
}

/** What was read in Universal's form. */
export interface UniversalReport {
  /** The Dataplanes. */
  dataplanes: UniversalDataplaneReport[];
  /** The Workloads that exist or should. */
  workloads: UniversalWorkloadReport[];
}

/** A Workload of Universal that exists or should. */
export interface UniversalWorkloadReport {
  /** What there is to do: `create`, `keep`, `relabel`, `delete`, `foreign`, `leave`, `bad-name`. */
  action: string;
  /** How many Dataplanes refer to it. */
  dataplanes: number;
  /** Who manages the one that exists. */
  managedBy?: string;
  /** Its mesh. */
  mesh: string;
  /** Its name. */
  name: string;
}

/** A Workload that exists or should. */
export interface WorkloadReport {
  /** What `run` would do: `create`, `keep`, `relabel`, `delete`, `conflict` (several meshes, none is made), `orphan` (several meshes, the one that exists stays as it is), `foreign` (somebody else manages it), `leave` (nothing refers to it, and it is not ours), `bad-name` (no object can have the name). */
  action: string;
  /** Who manages the one that exists. */
  managedBy?: string;
  /** The meshes of those that refer to it. */
  meshes: ReferenceCount[];
  /** Its name. */
  name: string;
  /** Its namespace. */
  namespace: string;
  /** Where it stands, if it was read from a file. */
  place?: Place;
  /** Whether that is left to the control plane (see the report's `mode`). */
  withheld: boolean;
}
