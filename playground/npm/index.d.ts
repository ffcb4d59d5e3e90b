import type { Report } from './report.js';

export type * from './report.js';

/** A file of manifests, or what stands for one: YAML or JSON, many objects may be in it. */
export interface Document {
  /** What places in the report call it; `-` is the standard input. */
  name: string;
  /** Its content; a string is taken as UTF-8. */
  bytes: Uint8Array | string;
}

/** The flags of `kuma-workload plan`, with the same defaults. */
export interface Options {
  /** The settings of the policy, or a ClusterAdmissionPolicy or AdmissionPolicy with them, as YAML or JSON. */
  settings?: { name: string; text: string };
  /** The control plane's workloadLabels, in its order; they replace those of the settings. */
  workloadLabels?: string[];
  /** Whether a Pod's annotation kuma.io/workload names its workload; `ignore` by default. */
  podAnnotation?: 'honor' | 'ignore';
  /** Where workloads of Dataplanes come from; `dataplanes` by default. */
  identifiers?: 'dataplanes' | 'pods';
  /** The zone of the control plane. */
  zone?: string;
  /** Where the control plane runs; without it, the form of the documents tells. */
  environment?: 'kubernetes' | 'universal';
  /** The only namespace that counts. */
  namespace?: string;
  /** The namespace of objects that name none; `default` by default. */
  defaultNamespace?: string;
  /** The Kuma that the plan is made for; `current` by default. */
  target?: 'current' | 'kuma3';
  /** Whether documents without any object are accepted. */
  allowEmpty?: boolean;
  /** Whether each Pod has the walk through the rules that led to its verdict. */
  why?: boolean;
}

/** An object as the report names it. */
export interface ObjectName {
  kind: string;
  namespace?: string;
  name: string;
  /** The line on which it begins, as its place says: several may have one name. */
  line?: number;
}

/** A request about an object, and the settings that judge it: what `kwctl run` takes. */
export interface Request {
  settings: object;
  review: object;
}

/**
 * The plan of documents, in the JSON of `kuma-workload plan -o json`, byte for byte. Documents that have not changed
 * since the last call are not read again.
 *
 * @throws a sentence about the options, if they cannot be read. What is wrong with documents is in the plan.
 */
export function plan(documents: Iterable<Document>, options?: Options | string): string;

/** The same as an object. */
export function report(documents: Iterable<Document>, options?: Options | string): Report;

/**
 * An object of a document as the request that an API server would send when it is created.
 *
 * @throws a sentence, if the object is not there or is of a kind that the policy does not judge.
 */
export function request(document: Document, object: ObjectName, options?: Options | string): Request;

/** What a name or number means that a report cites. */
export interface Explanation {
  /** The name or number. */
  name: string;
  /** What it means. */
  says: string;
  /** What to do about it. */
  remedy?: string;
  /** The numbers of its rules. */
  rules?: string[];
  /** Where the documentation has it, from the root of its site. */
  link: string;
}

/**
 * What the number of a rule (A5), the code of a finding or the name of an admission rule (second-mesh) means.
 *
 * @throws a sentence, if there is no such name.
 */
export function explain(name: string): Explanation;

/**
 * The text of a document in which `data` and `stringData` of Secrets, and the values of environment variables, are
 * masked. All else is as it was.
 */
export function mask(text: string): string;

/** The version of the rules: that of the program and of the policy. */
export function version(): string;
