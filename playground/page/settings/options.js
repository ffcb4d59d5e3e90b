/** The plan's own options, as a form: the flags of `kuma-workload plan`. */

import { element } from '../dom.js';
import { field } from './field.js';

/** The options, by the names that the module gives them. */
const OPTIONS = [
  {
    variable: 'target',
    type: 'enum',
    options: ['current', 'kuma3'],
    default: 'current',
    label: 'The Kuma that is planned for',
    description: '--target',
  },
  {
    variable: 'environment',
    type: 'enum',
    options: ['', 'kubernetes', 'universal'],
    default: '',
    label: 'Where the control plane runs',
    description: '--environment',
  },
  { variable: 'zone', type: 'string', label: 'Zone of the control plane', description: '--zone' },
  {
    variable: 'defaultNamespace',
    type: 'string',
    default: 'default',
    label: 'Namespace of objects that name none',
    description: '--default-namespace',
  },
  { variable: 'namespace', type: 'string', label: 'Only this namespace', description: '--namespace' },
  {
    variable: 'workloadLabels',
    type: 'array[string]',
    default: [],
    label: 'Workload labels, one on a line, in place of the settings’ own',
    description: '--workload-labels',
  },
  {
    variable: 'identifiers',
    type: 'enum',
    options: ['dataplanes', 'pods'],
    default: 'dataplanes',
    label: 'Where workloads of Dataplanes come from',
    description: '--identifiers',
  },
  {
    variable: 'podAnnotation',
    type: 'enum',
    options: ['ignore', 'honor'],
    default: 'ignore',
    label: 'The annotation kuma.io/workload of a Pod',
    description: '--pod-annotation',
  },
];

/** The form of the options. */
export class OptionsForm {
  #fields;
  #values = {};

  /**
   * @param {HTMLElement} host the element that it is shown in
   * @param {() => void} onChange is told of each change
   */
  constructor(host, onChange) {
    this.#fields = OPTIONS.map((option) => ({
      option,
      ...field('option', option, (value) => {
        this.#keep(option.variable, value);
        onChange();
      }),
    }));
    host.append(element('div', { class: 'fields' }, ...this.#fields.map(({ root }) => root)));
    this.values = {};
  }

  /** The options that differ from the defaults. */
  get values() {
    return { ...this.#values };
  }

  set values(given) {
    this.#values = {};
    for (const { option, set } of this.#fields) {
      const value = isOf(option, given?.[option.variable]) ? given[option.variable] : undefined;
      this.#keep(option.variable, value);
      set(value);
    }
  }

  #keep(variable, value) {
    if (value === undefined) delete this.#values[variable];
    else this.#values[variable] = value;
  }
}

/** Whether a value that came with a link is one of this option. */
function isOf(option, value) {
  if (option.type === 'enum') return option.options.includes(value);
  if (option.type === 'string') return typeof value === 'string' && value.length <= 253;
  return Array.isArray(value) && value.length <= 100 && value.every((item) => typeof item === 'string');
}
