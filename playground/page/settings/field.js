/** One field of a form: its label, its control, and what it stands for. */

import { element } from '../dom.js';

/**
 * A field.
 *
 * @param {string} prefix what ids begin with
 * @param {{ variable: string, type: string, label: string, description?: string, options?: string[],
 *   default?: unknown }} question what it asks
 * @param {(value: unknown) => void} onChange is told of the value that somebody chose; undefined is the default
 * @returns {{ root: HTMLElement, set: (value: unknown) => void, enable: (isEnabled: boolean) => void }} the field
 */
export function field(prefix, question, onChange) {
  const id = `${prefix}-${question.variable}`;
  const described = question.description ? { 'aria-describedby': `${id}-help` } : {};
  const kind = KINDS[question.type] ?? textOnly;
  const { control, set } = kind({ id, ...described }, question, onChange);
  const label = element('label', { for: id }, question.label);
  const help = question.description
    ? [element('p', { class: 'help', id: `${id}-help` }, question.description)]
    : [];
  const isBox = question.type === 'boolean';
  const root = element('div', { class: isBox ? 'field box' : 'field' });
  root.append(...(isBox ? [control, label] : [label, control]), ...help);
  const enable = (isEnabled) => {
    control.disabled = !isEnabled;
  };
  return { root, set, enable };
}

const KINDS = { boolean: box, enum: choice, string: line, 'array[string]': lines };

/** The value, or undefined where it is the default: that is left out of the text. */
function unlessDefault(question, value) {
  return JSON.stringify(value) === JSON.stringify(question.default) ? undefined : value;
}

function box(attributes, question, onChange) {
  const control = element('input', {
    ...attributes,
    type: 'checkbox',
    change: () => onChange(unlessDefault(question, control.checked)),
  });
  const set = (value) => {
    control.checked = value ?? question.default ?? false;
  };
  return { control, set };
}

function choice(attributes, question, onChange) {
  const options = question.options.map((option) => {
    const isDefault = option === question.default;
    return element('option', { value: option }, isDefault ? `${option} (default)` : option || '(none)');
  });
  const change = () => onChange(unlessDefault(question, control.value));
  const control = element('select', { ...attributes, change }, ...options);
  const set = (value) => {
    control.value = value ?? question.default ?? '';
  };
  return { control, set };
}

function line(attributes, question, onChange) {
  const read = () => (control.value === '' ? undefined : unlessDefault(question, control.value));
  const control = element('input', {
    ...attributes,
    type: 'text',
    placeholder: question.default,
    autocomplete: 'off',
    spellcheck: 'false',
    input: () => onChange(read()),
  });
  const set = (value) => {
    if ((value ?? '') !== control.value) control.value = value ?? '';
  };
  return { control, set };
}

/** A list: an item on each line. */
function lines(attributes, question, onChange) {
  const read = () =>
    control.value
      .split('\n')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  const control = element('textarea', {
    ...attributes,
    rows: Math.min(8, Math.max(2, (question.default ?? []).length + 1)),
    autocomplete: 'off',
    spellcheck: 'false',
    input: () => onChange(unlessDefault(question, read())),
  });
  const set = (value) => {
    const items = value ?? question.default ?? [];
    // What is being typed stays as it is: an empty line at the end is no item yet.
    if (JSON.stringify(read()) !== JSON.stringify(items)) control.value = items.join('\n');
  };
  return { control, set };
}

/** What no field can show is written in the text alone. */
function textOnly(attributes) {
  const control = element('output', attributes);
  const set = (value) => {
    control.textContent = value === undefined ? 'not set' : JSON.stringify(value);
  };
  return { control, set };
}
