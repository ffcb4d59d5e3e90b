// Documents to plan: the project's own, and odd bytes.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './installed.mjs';

/** The files of a folder to its depth, in the order of their names. */
export function files(folder) {
  return readdirSync(join(root, folder))
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(join(root, path)).isDirectory() ? files(path) : [path];
    });
}

const read = (path) => ({ name: path, bytes: readFileSync(join(root, path)) });
const utf8 = (text) => Buffer.from(text);
const utf16 = (text) => Buffer.from(`\ufeff${text}`, 'utf16le');

const POD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {kuma.io/workload: b}\n';

/** Each is planned alone: what may differ between a program and a page. */
const ODD = {
  empty: utf8(''),
  comments: utf8('# nothing\n'),
  'byte-order-mark': utf8(`\ufeff${POD}`),
  'two-byte-order-marks': utf8(`\ufeff\ufeff${POD}`),
  windows: utf8(POD.replaceAll('\n', '\r\n')),
  'old-mac': utf8(POD.replaceAll('\n', '\r')),
  'mixed-line-ends': utf8(`${POD}---\r\n${POD.replaceAll('\n', '\r\n')}---\n[`),
  'next-line-characters': utf8('a: "\u0085\u2028\u2029"\n---\nkind: [\n'),
  utf16: utf16(POD),
  'utf16-with-emoji': utf16(`# 😀\n${POD}x: [\n`),
  'half-a-pair': Buffer.concat([utf16(POD), Buffer.from([0x3d, 0xd8])]),
  latin1: Buffer.from('a: 1\nb: \xe4\xe4\n', 'latin1'),
  'bad-bytes-after-emoji': Buffer.concat([utf8('# 😀\n'), Buffer.from([0xff, 0xfe, 0xfd])]),
  'cut-in-a-character': utf8(`${POD}# ä`).subarray(0, -1),
  'null-bytes': utf8(`${POD}\0\0`),
  'tab-in-indentation': utf8('apiVersion: v1\nkind: Pod\nmetadata:\n\tname: a\n'),
  'tabs-in-json': utf8('{\n\t"apiVersion": "v1",\n\t"kind": "Pod",\n\t"metadata": {"name": "a"}\n}\n'),
  'emoji-before-the-fault': utf8('a: "😀😀👨‍👩‍👧" : [\n'),
  'combining-marks': utf8('a: "e\u0301e\u0301" b\n'),
  template: utf8('kind: Pod\nmetadata: {name: {{ .Values.name }}}\n'),
  'repeated-key': utf8(`${POD}kind: Pod\n`),
  'wrong-kinds': utf8('apiVersion: v1\nkind: 7\n---\n- 1\n---\nkind: Pod\nmetadata: [a]\n'),
  'markup-in-names': utf8(POD.replace('name: a', 'name: "<script>alert(1)</script>"')),
  'right-to-left': utf8(POD.replace('name: a', 'name: "\u202egnp.\u2066x"')),
  'control-characters': utf8(POD.replace('name: a', 'name: "\\u0007\\u001b[31m"')),
  'deep-list': utf8('['.repeat(10_000)),
  'deep-map': utf8('a: {'.repeat(10_000)),
  'deep-json': utf8('{"a":'.repeat(10_000)),
  'alias-bomb': utf8(
    `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefghij']
      .map((to, at) => {
        const from = 'abcdefghij'[at];
        return `${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]\n`;
      })
      .join('')}`,
  ),
  circle: utf8('a: &a [*a]\n'),
};

/** All inputs: each has a name and one or more documents, in order. */
export function inputs() {
  const folders = [
    'examples/plan/kubernetes',
    'examples/plan/universal',
    'examples/page',
    'examples/cluster',
    'examples/requests',
  ];
  const alone = [...folders, 'e2e-tests/fixtures', 'fuzz/corpus/plan'].flatMap(files);
  return [
    ...folders.map((folder) => ({ name: `all of ${folder}`, documents: files(folder).map(read) })),
    ...alone.map((path) => ({ name: path, documents: [read(path)] })),
    ...Object.entries(ODD).map(([name, bytes]) => ({
      name,
      documents: [{ name: `odd/${name}.yaml`, bytes }],
    })),
    {
      name: 'all that is odd',
      documents: Object.entries(ODD).map(([name, bytes]) => ({ name: `odd/${name}.yaml`, bytes })),
    },
  ];
}
