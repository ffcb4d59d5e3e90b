/** The line that asks the policy itself about an object, with kwctl. */

const POLICY = 'registry://ghcr.io/kuma-workload/policies/kuma-workload-policy';

/**
 * The line. It can be pasted into any shell that is like Bourne's.
 *
 * @param {object} about
 * @param {object} about.review the AdmissionReview
 * @param {object} about.settings the settings that judge it
 * @param {string} about.version the policy's version
 * @returns {string} the line
 */
export function kwctlLine({ review, settings, version }) {
  const [request, given] = [review, settings].map((value) => quoted(JSON.stringify(value)));
  // What a rule asks, the cluster of the kubeconfig answers.
  const flags = `--allow-context-aware --request-path - --settings-json ${given}`;
  return `printf %s ${request} | kwctl run ${flags} ${POLICY}:v${version}`;
}

/** A text that a shell takes as it is. */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The object for which the line is: the one of the document in which the cursor is, or else its first.
 *
 * @param {object} report the plan
 * @param {string} file the document that is shown
 * @param {number} line the cursor's line
 * @returns {object | undefined} an entry of the report's pods; none if the policy judges no object of the document
 */
export function podAt(report, file, line) {
  const here = report.pods
    .filter(({ admission, place }) => admission && place?.file === file)
    .sort((one, next) => one.place.line - next.place.line);
  return here.findLast(({ place }) => place.line <= line) ?? here[0];
}

/**
 * An entry of the report's pods as the module finds its object again: of several with the same name, by the line.
 *
 * @param {object} pod the entry
 * @returns {string} the object's name, in JSON
 */
export function objectOf({ kind, namespace, name, place }) {
  return JSON.stringify({ kind, namespace, name, line: place.line });
}
