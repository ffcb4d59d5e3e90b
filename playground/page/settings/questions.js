/** What the questions of questions-ui.yml mean: the form is made from the same table as Kubewarden's. */

/**
 * Whether a question is asked, given the values of the others: `a=b`, joined by `&&` or by `||`.
 *
 * @param {string | undefined} condition the question's show_if
 * @param {(variable: string) => unknown} valueOfKey the value of another question
 * @returns {boolean} whether it is
 */
export function isAsked(condition, valueOfKey) {
  if (!condition) return true;
  return condition.split('||').some((any) =>
    any.split('&&').every((one) => {
      const [variable, value] = one.split('=');
      return String(valueOfKey(variable)) === value;
    }),
  );
}

/**
 * Whether a question's field can show this value.
 *
 * @param {{ type: string, options?: string[] }} question the question
 * @param {unknown} value the value
 * @returns {boolean} whether it can
 */
export function canShow(question, value) {
  switch (question.type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'enum':
      return question.options.includes(value);
    case 'array[string]':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'string':
      return typeof value === 'string';
    default:
      return false;
  }
}

/**
 * The questions by their groups, in their order.
 *
 * @param {Array<{ group: string }>} questions the questions
 * @returns {Map<string, object[]>} the questions of each group
 */
export function grouped(questions) {
  return Map.groupBy(questions, ({ group }) => group);
}
