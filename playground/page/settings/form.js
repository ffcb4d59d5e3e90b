/** The policy's settings as a form. The text is what counts: the form writes into it, and is filled from it. */

import questions from 'virtual:questions';
import { element } from '../dom.js';
import { field } from './field.js';
import { canShow, grouped, isAsked } from './questions.js';
import { readSettings } from './read.js';
import { writeSetting } from './write.js';

const DECIDES =
  'The text below decides: it has something that this form cannot show, or cannot change without changing more. ' +
  'It is planned as it is written.';

const LOCKED =
  'The text below decides what the disabled fields say: there are comments within their values, which this form ' +
  'would lose.';

/** The form of the settings. */
export class SettingsForm {
  #fields;
  #decides = element('p', { class: 'decides', hidden: true, role: 'status' });

  /**
   * @param {HTMLElement} host the element that it is shown in
   * @param {{ read: () => string, write: (text: string) => void }} text the settings' text
   */
  constructor(host, text) {
    this.#fields = questions.map((question) => ({
      question,
      ...field('setting', question, (value) => this.#write(text, question.variable, value)),
    }));
    const groups = [...grouped(this.#fields.map((one) => ({ ...one, group: one.question.group })))];
    host.append(
      this.#decides,
      element(
        'div',
        { class: 'fields' },
        ...groups.map(([group, fields]) =>
          element('fieldset', {}, element('legend', {}, group), ...fields.map(({ root }) => root)),
        ),
      ),
    );
    this.fill(text.read());
  }

  /** @param {string} text the settings' text, as it is now */
  fill(text) {
    const settings = readSettings(text)?.settings ?? null;
    const known = ({ variable }) => settings?.get(variable)?.value ?? undefined;
    const isShown = ({ question }) => {
      const value = known(question);
      return value === undefined || !FIELDS.has(question.type) || canShow(question, value);
    };
    const decides = settings === null || !this.#fields.every(isShown);
    const isLocked = ({ variable }) => settings?.get(variable)?.isLocked ?? false;
    const valueOfKey = (variable) => {
      const { question } = this.#fields.find((one) => one.question.variable === variable);
      return known(question) ?? question.default;
    };
    for (const { question, root, set, enable } of this.#fields) {
      if (!decides) set(known(question));
      enable(!decides && !isLocked(question));
      // What is set is shown, even where it would not be asked.
      root.hidden = !isAsked(question.show_if, valueOfKey) && known(question) === undefined;
    }
    if (decides) this.#say(DECIDES);
    else this.#say(this.#fields.some(({ question }) => isLocked(question)) ? LOCKED : '');
  }

  #write(text, variable, value) {
    const changed = writeSetting(text.read(), variable, value);
    if (changed !== null) {
      text.write(changed);
      return;
    }
    // The field goes back to what the text says.
    this.fill(text.read());
    this.#say(DECIDES);
  }

  #say(sentence) {
    if (this.#decides.textContent !== sentence) this.#decides.textContent = sentence;
    this.#decides.hidden = sentence === '';
  }
}

const FIELDS = new Set(['boolean', 'enum', 'string', 'array[string]']);
