import assert from 'node:assert/strict';
import { test } from 'node:test';
import { code, prose } from '../page/report/markdown/escape.js';
import { MOST, markdown } from '../page/report/markdown.js';
import { finding, HOSTILE, hostile, pod, report, split } from './report-sample.mjs';

/** What of a line is not in code spans, by CommonMark's rule: a run of backticks ends at the next of its length. */
function outside(line) {
  let rest = line;
  let text = '';
  for (;;) {
    const start = /`+/.exec(rest);
    if (!start) return text + rest;
    const after = rest.slice(start.index + start[0].length);
    const end = [...after.matchAll(/`+/g)].find((run) => run[0].length === start[0].length);
    if (!end) throw new Error(`a code span has no end: ${line}`);
    text += `${rest.slice(0, start.index)}\u2423`;
    rest = after.slice(end.index + end[0].length);
  }
}

test('the whole of a report', () => {
  const text = markdown(split(), { title: 'The plan of shop' });
  assert.equal(
    text,
    `## The plan of shop

1 error, no warnings, 1 note, 1 fault. 4 objects read; mode \`manage\`.

### Findings

- **fault** at \`broken.yaml:1:4\`: this is no YAML
- **error** \`conflict\` at \`shop.yaml:3:1\`: namespace \`"shop"\`: workload \`"web"\` has proxies in meshes \`"default"\` and \`"payments"\`: no Workload is made
  - What to do: move Pods \`"web-0"\` and \`"web-1"\` to one mesh
- **note** \`namespace-not-read\` at \`shop.yaml:3:1\`: it is not
  - What to do: move Pods \`"web-0"\` and \`"web-1"\` to one mesh

### Pods

| object | mesh | workload | verdict |
| --- | --- | --- | --- |
| \`Deployment shop/web\` | \`default\` (\`pod-label\`) | \`web\` (\`spec.serviceAccountName\`) | accepted |
| \`Pod shop/web-0\` | \`default\` (\`pod-label\`) | \`web\` (\`spec.serviceAccountName\`) | accepted |
| \`Pod shop/web-1\` | \`payments\` (\`pod-label\`) | \`web\` (\`spec.serviceAccountName\`) | accepted |
| \`Pod shop/web-2\` | \`default\` (\`pod-label\`) | \`web\` (\`spec.serviceAccountName\`) | rejected: \`forged-label\` |

### Workloads

| workload | action | meshes |
| --- | --- | --- |
| \`shop/web\` | conflict | \`default\`, \`payments\` |
`,
  );
});

test('hostile names are in code spans, and begin no line, cell, link or mention', () => {
  const text = markdown(hostile(), { title: HOSTILE });
  for (const hidden of ['\u202E', '\u0007']) assert.ok(!text.includes(hidden));
  for (const line of text.split('\n')) {
    const plain = outside(line).replace(/^(#{2,3} |- | {2}- )/, '');
    assert.doesNotMatch(plain, /[<>@#[\]\\!~$%&]|:\/\/|jane|onerror/, line);
    const bars = line.startsWith('|') ? line.match(/(?<!\\)\|/g).length : 0;
    if (bars) assert.ok([4, 5].includes(bars), `${bars} cells: ${line}`);
    else assert.doesNotMatch(plain, /\|/, line);
  }
});

test('plain words of a sentence stay as they are, and everything else is code', () => {
  for (const [given, wanted] of [
    ['it is not, and 2 (3) are;', 'it is not, and 2 (3) are;'],
    ['@jane says', '`@jane` says'],
    ['see #123.', 'see `#123`.'],
    ['(spec.path): no', '(`spec.path`): no'],
    ['GH-12 and deadbeef and _a_ and :cat:', '`GH-12` and `deadbeef` and `_a_` and `:cat`:'],
    ['Pod "a `b`" is', 'Pod ``"a `b`"`` is'],
    ['www.example.org and a@b.c', '`www.example.org` and `a@b.c`'],
    ['1. one\n- two', '`1`. `one\uFFFD-` two'],
    ['&amp; <b>', '`&amp`; `<b>`'],
  ]) {
    assert.equal(prose(given), wanted);
  }
});

test('a code span holds any backticks', () => {
  assert.equal(code('a'), '`a`');
  assert.equal(code('`'), '`` ` ``');
  assert.equal(code('a``b`'), '``` a``b` ```');
  assert.equal(code(''), '` `');
});

test('a bar does not end a cell', () => {
  const text = markdown(report({ pods: [pod('a|b')] }));
  assert.match(text, /`Pod shop\/a\\\|b`/);
});

test('a long plan is cut, and says by how much', () => {
  const pods = Array.from({ length: MOST.rows + 1500 }, (_, index) => pod(`web-${index}`));
  const findings = Array.from({ length: MOST.findings + 3 }, () => finding());
  const text = markdown(report({ pods, findings }));
  assert.match(text, /^and 1,500 more$/m);
  assert.match(text, /^- and 3 more$/m);
  assert.equal(text.match(/`Pod shop/g).length, MOST.rows);
  assert.ok(text.length < 65_536);
});

test('Universal has its tables', () => {
  const workload = { name: 'orders', source: 'tag' };
  const universal = {
    dataplanes: [{ mesh: 'default', name: 'orders-1', workload }],
    workloads: [{ mesh: 'default', name: 'orders', action: 'create', dataplanes: 1 }],
  };
  const text = markdown(report({ universal }));
  assert.match(text, /^\| `orders-1` \| `default` \| `orders` \(`tag`\) \|$/m);
  assert.match(text, /^\| `orders` \| `default` \| create \|$/m);
});
