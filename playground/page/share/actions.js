/** The buttons over the plan: what can be taken away from here. */

import { listed } from '../documents/names.js';
import { button } from '../dom.js';
import { notify, say } from '../notices.js';
import { markdown } from '../report/index.js';
import { shownName } from '../report/text.js';
import { LINK_LIMIT, toFragment } from '../state/link.js';
import { copy } from './copy.js';
import { kwctlLine, podAt } from './kwctl.js';
import { save } from './save.js';

/** By this key, a file is known as a state of the playground. */
export const STATE_KEY = 'kumaWorkloadPlayground';

/**
 * The buttons.
 *
 * @param {object} page
 * @param {() => Promise<{ snapshot: object, leftOut: string[] }>} page.snapshot takes the state, masked
 * @param {() => object | null} page.report the report that is shown
 * @param {() => Promise<string>} page.written the same as the program writes it
 * @param {() => { file: string, line: number }} page.cursor where the cursor is
 * @param {(pod: object) => Promise<{ review: object, settings: object }>} page.request an entry of the report's pods
 *   as the request that the policy judges
 * @param {string} page.version the policy's version
 * @returns {HTMLElement[]} the buttons
 */
export function actions(page) {
  /** An action that needs a plan. */
  const ofPlan = (act) => () => {
    const report = page.report();
    if (report) act(report).catch(complain);
    else say('There is no plan yet.');
  };
  return [
    button('Copy link', () => copyLink(page).catch(complain)),
    button(
      'Copy kwctl line',
      ofPlan((report) => copyKwctl(page, report)),
    ),
    button(
      'Copy as Markdown',
      ofPlan(async (report) => copy(markdown(report, { title: 'Plan' }), 'The plan')),
    ),
    button(
      'Download JSON',
      ofPlan(async () => save('plan.json', await page.written())),
    ),
  ];
}

function complain(error) {
  notify('action', error.message);
}

async function copyLink(page) {
  const { snapshot, leftOut } = await page.snapshot();
  const without =
    leftOut.length === 0 ? '' : ` It is without ${listed(leftOut)}: what is no text cannot be in it.`;
  const fragment = await toFragment(snapshot);
  if (fragment.length > LINK_LIMIT) {
    const length = fragment.length.toLocaleString('en');
    const limit = LINK_LIMIT.toLocaleString('en');
    notify(
      'link',
      `The link would have ${length} characters, and ${limit} are what other programs take.${without}`,
      {
        'Save it as a file': () => save('playground.json', JSON.stringify({ [STATE_KEY]: 1, ...snapshot })),
      },
    );
    return;
  }
  history.replaceState(null, '', fragment);
  await copy(location.href, 'The link');
  if (without !== '') notify('link', `The link is copied.${without}`);
}

async function copyKwctl(page, report) {
  const { file, line } = page.cursor();
  const pod = podAt(report, file, line);
  if (!pod) {
    say(
      'The policy judges no object of the document that is shown: a kwctl line is about one that it judges.',
    );
    return;
  }
  const { review, settings } = await page.request(pod);
  const name = [pod.namespace, pod.name].filter(Boolean).map(shownName).join('/');
  await copy(
    kwctlLine({ review, settings, version: page.version }),
    `The kwctl line for ${pod.kind} ${name}`,
  );
}
