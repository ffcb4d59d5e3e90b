// node run.mjs MODULE.wasm CASES: runs each case in the module and compares the answer, byte for byte.
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [wasm, cases] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(wasm));

// The plan needs nothing of where it runs: no clock, no file, no randomness.
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) {
  console.log('the module imports', imports.map(({ module, name }) => `${module}.${name}`).join(', '));
  process.exit(1);
}

const start = () => new WebAssembly.Instance(module).exports;

// One instance answers all, as it does in a page.
let plan = start();

function answer(request) {
  const address = plan.allocate(request.length);
  new Uint8Array(plan.memory.buffer, address, request.length).set(request);
  const buffer = plan.answer(address, request.length);
  plan.release(address, request.length);
  // A 64-bit number is a BigInt here: the address, then the length.
  const [at, length] = [Number(buffer >> 32n), Number(buffer & 0xffffffffn)];
  const text = Buffer.from(new Uint8Array(plan.memory.buffer, at, length));
  plan.release(at, length);
  return text;
}

// The first line that differs, as it is and as it should be.
function difference(is, should) {
  const [found, expected] = [is, should].map((text) => text.toString().split('\n'));
  const line = expected.findIndex((text, number) => text !== found[number]);
  const number = line < 0 ? expected.length : line;
  return `line ${number + 1} is ${JSON.stringify(found[number])}, and natively ${JSON.stringify(expected[number])}`;
}

let passed = 0;
let failed = 0;
for await (const line of createInterface({ input: createReadStream(cases) })) {
  const { name, request, answer: bytes } = JSON.parse(line);
  const expected = Buffer.from(bytes);
  let fault;
  try {
    const found = answer(Buffer.from(JSON.stringify(request)));
    fault = found.equals(expected) ? undefined : difference(found, expected);
  } catch (error) {
    // A panic or a stack that is used up: what the instance holds is worth nothing any more.
    fault = String(error);
    plan = start();
  }
  if (fault === undefined) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`${name}: ${fault}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
