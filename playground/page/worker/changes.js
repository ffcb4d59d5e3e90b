/** The report, put together from what has changed in it. */

/** The lists in which a number stands for the row that had it in the last report. */
const LISTS = ['namespaces', 'workloads', 'pods', 'findings', 'faults'];

/**
 * The report. Rows that have not changed are the same objects as before, and lists too, so that nobody has to compare
 * them.
 *
 * @param {object} changes what the module tells of it
 * @param {object | null} before the last report, if there was one
 * @returns {object} the report
 */
export function assembled(changes, before) {
  const rows = (list) => {
    const told = changes[list];
    const isSame = told.length === before?.[list].length && told.every((row, number) => row === number);
    return isSame ? before[list] : told.map((row) => (typeof row === 'number' ? before[list][row] : row));
  };
  return { ...changes, ...Object.fromEntries(LISTS.map((list) => [list, rows(list)])) };
}
