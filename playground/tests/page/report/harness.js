/** The report on a page of its own, with answers that a test can see and change. */

import { markdown, picture, ReportView } from '../../../page/report/index.js';

const calls = { explained: [], opened: [], whys: 0 };
let report;

const explanations = {
  A1: { name: 'A1', says: 'A Pod with the label is refused.', rules: [], link: 'rules.html#admission-a' },
};

const view = new ReportView(document.querySelector('#report'), {
  explain: async (name) => {
    calls.explained.push(name);
    if (name === 'broken') throw new Error('there is no rule "broken"');
    return (
      explanations[name] ?? {
        name,
        says: `What ${name} says.`,
        remedy: 'Mend it.',
        rules: ['A1'],
        link: 'messages.html',
      }
    );
  },
  why: async () => {
    calls.whys += 1;
    return report;
  },
  open: (place) => calls.opened.push(place),
});

window.harness = {
  calls,
  violations: [],
  /** Draws a report, and says how many milliseconds that took: its own, and with what the browser lays out. */
  show(next, documents) {
    report = next;
    const before = performance.now();
    view.show(next, documents);
    const drawn = performance.now() - before;
    document.body.getBoundingClientRect();
    return { drawn, laidOut: performance.now() - before };
  },
  markdown,
  picture: (given, size) => new XMLSerializer().serializeToString(picture(given, size)),
};
document.addEventListener('securitypolicyviolation', (event) =>
  window.harness.violations.push(`${event.violatedDirective} ${event.blockedURI}`),
);
