/** The page: puts its parts together. The editor comes first; the module is fetched after it is shown. */

import build from 'virtual:build';
import { documentBar } from './documents/bar.js';
import { Documents } from './documents/documents.js';
import { filesInto } from './documents/files.js';
import { Tabs } from './documents/tabs.js';
import { button, byId } from './dom.js';
import { Editor } from './editor/editor.js';
import { marksOf } from './editor/marks.js';
import { examplesMenu } from './examples/menu.js';
import { notify, say, showErrors } from './notices.js';
import { keepOffline } from './offline/register.js';
import { ReportView } from './report/index.js';
import { visible } from './report/text.js';
import { SettingsForm } from './settings/form.js';
import { OptionsForm } from './settings/options.js';
import { actions } from './share/actions.js';
import { objectOf } from './share/kwctl.js';
import { askToForget } from './state/forget.js';
import { Keeper } from './state/keeper.js';
import { Restorer } from './state/restore.js';
import { take } from './state/snapshot.js';
import { StatusLine } from './status.js';
import { begin } from './worker/begin.js';
import { PlanClient } from './worker/client.js';
import { LIMIT, Runner } from './worker/runner.js';

showErrors();
byId('version').textContent = build.version;

const editor = new Editor(byId('editor'), (state) => documents.update(state));
const documents = new Documents((text, how) => editor.stateOf(text, how));
const client = new PlanClient(begin, LIMIT);
const runner = new Runner(client, input, told);
const status = new StatusLine(() => runner.now());
const keeper = new Keeper(() => documents.size, snapshot);
const options = new OptionsForm(byId('options'), changed);
const settings = new SettingsForm(byId('settings-form'), {
  read: () => documents.settings.text,
  write: (text) => {
    documents.show(documents.settings);
    editor.write(text);
  },
});
const restorer = new Restorer(documents, options, keeper);
const view = new ReportView(byId('report'), {
  explain: async (name) => JSON.parse(await client.call('explain', name)),
  why: async () => JSON.parse(await written({ why: true })),
  open: jump,
});

/** The report that is shown. */
let report = null;

/** What there is to plan. */
function input() {
  const { name, text } = documents.settings;
  return {
    documents: documents.list,
    size: documents.size,
    options: {
      ...options.values,
      ...(text.trim() === '' ? {} : { settings: { name, text } }),
      // A page on which nothing is typed yet is no fault.
      allowEmpty: documents.isEmpty,
    },
  };
}

/** The report as the program writes it. */
function written(more) {
  return client.call('report', JSON.stringify({ ...input().options, ...more }));
}

function snapshot() {
  return take(documents, options.values, (text) => client.call('mask', text));
}

/** An entry of the report's pods as a request, with the settings that judge it. */
async function request(pod) {
  const { file } = pod.place;
  const { bytes } = documents.all.find((doc) => doc.name === file);
  const { options } = input();
  return JSON.parse(await client.call('request', file, bytes, objectOf(pod), JSON.stringify(options)));
}

/** What the runner tells. */
function told(state, found) {
  if (state === 'ready') {
    report = found.report;
    view.show(report, { names: documents.all.map(({ name }) => name) });
    mark();
  }
  status.show(state, found);
}

function mark() {
  const { active } = documents;
  if (report) editor.mark(marksOf(report, active.name, active.state.doc));
}

function jump({ file, line, column }) {
  const doc = documents.all.find(({ name }) => name === file);
  if (!doc) return;
  documents.show(doc);
  editor.jump({ line, column });
}

function changed() {
  say('');
  restorer.changed();
  runner.changed();
}

function showActive() {
  const { active } = documents;
  const isSettings = active === documents.settings;
  editor.show(active.state, isSettings ? 'Settings of the policy' : `Document ${visible(active.name)}`);
  byId('settings-form').hidden = !isSettings;
  if (isSettings) settings.fill(active.text);
  mark();
}

// Its address stays, which may be a link that holds what is shown.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('plan').focus();
});
documents.addEventListener('active', showActive);
documents.addEventListener('list', changed);
documents.addEventListener('edit', () => {
  if (documents.active === documents.settings) settings.fill(documents.settings.text);
  changed();
});

new Tabs(byId('tabs'), byId('panel'), documents);
documentBar(documents);
byId('toolbar').append(
  button('New', () => documents.add([{ name: 'pods.yaml', text: '' }])),
  ...filesInto(documents, (state) => restorer.open(state)),
  examplesMenu((example) => restorer.open(example)),
  restorer.button,
  button('Forget', () => askToForget(() => restorer.forget())),
);
byId('actions').append(
  ...actions({
    snapshot,
    report: () => report,
    // As the program writes it, for which nothing to plan is a fault.
    written: () => written({ allowEmpty: false }),
    cursor: () => ({ file: documents.active.name, line: editor.place.line }),
    request,
    version: build.version,
  }),
);

await restorer.begin(build.starter).catch((error) => notify('link', error.message));
showActive();
// After the first paint: until then, the editor is what counts.
requestAnimationFrame(() => setTimeout(() => runner.changed()));
keepOffline(() => keeper.now());
