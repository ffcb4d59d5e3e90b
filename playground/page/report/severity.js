/** How grave things are, for the filter. */

/** From the gravest on. */
const ORDER = ['error', 'warning', 'note'];

/** Whether a severity is this one or a graver one. */
export function reaches(severity, least) {
  return ORDER.includes(severity) && ORDER.indexOf(severity) <= ORDER.indexOf(least);
}

/** The severity of a finding, a fault or a Pod's row; none of what is as it should be. */
export function severityOf(item) {
  if (item.severity) return item.severity === 'fault' ? 'error' : item.severity;
  const { admission, identity } = item;
  if (admission?.rejection || identity?.fault) return 'error';
  return admission?.warnings.length ? 'warning' : undefined;
}
