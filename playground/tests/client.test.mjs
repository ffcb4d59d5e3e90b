// The page's end of the worker: the newest plan wins, and what fails is begun anew.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { OVERTAKEN, PlanClient } from '../page/worker/client.js';
import { answering } from '../page/worker/planner.js';

/** A worker that answers when it is told to. */
class Held extends EventTarget {
  held = [];
  isEnded = false;
  postMessage(message) {
    if (message.method === 'begin') this.answer({ id: message.id });
    else this.held.push(message);
  }
  answer(data) {
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event('message'), { data })));
  }
  terminate() {
    this.isEnded = true;
  }
}

function client(limit = 10_000) {
  const workers = [];
  const begin = async () => {
    workers.push(new Held());
    return { worker: workers.at(-1), module: null };
  };
  return { workers, client: new PlanClient(begin, limit) };
}

/** What the worker tells of a report with nothing in it but a mode. */
const changes = (mode, pods = []) =>
  JSON.stringify({ mode, namespaces: [], workloads: [], pods, findings: [], faults: [] });
const doc = (key, version = 0) => ({ key, version, name: `${key}.yaml`, bytes: Uint8Array.of(version) });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('while one plan is made, only the newest waits', async () => {
  const { client: one, workers } = client();
  const plans = [0, 1, 2, 3].map((version) => one.plan([doc(1, version)], { version }));
  await settled();
  // What came while the worker began is overtaken too.
  const [worker] = workers;
  assert.deepEqual(
    worker.held.map(({ args }) => args[2]),
    ['{"version":3}'],
  );
  const [late, later] = [one.plan([doc(1, 4)], {}), one.plan([doc(1, 5)], {})];
  worker.answer({ id: worker.held[0].id, value: changes('three') });
  await settled();
  worker.answer({ id: worker.held[1].id, value: changes('five') });
  const modes = async (all) => (await Promise.all(all)).map((one) => one.mode ?? one);
  assert.deepEqual(await modes(plans), [OVERTAKEN, OVERTAKEN, OVERTAKEN, 'three']);
  assert.deepEqual(await modes([late, later]), [OVERTAKEN, 'five']);
});

test('only what has changed is sent', async () => {
  const { client: one, workers } = client();
  const ask = async (documents) => {
    const plan = one.plan(documents, {});
    await settled();
    const [worker] = workers;
    const { id, args } = worker.held.at(-1);
    worker.answer({ id, value: changes('') });
    await plan;
    return [args[0].map(({ key }) => key), args[1]];
  };
  assert.deepEqual(await ask([doc(1), doc(2)]), [
    [1, 2],
    [1, 2],
  ]);
  assert.deepEqual(await ask([doc(1), doc(2, 1)]), [[2], [1, 2]]);
  assert.deepEqual(await ask([doc(2, 1), doc(3)]), [[3], [2, 3]]);
  assert.deepEqual(await ask([doc(1), doc(3)]), [[1], [1, 3]]);
});

test('what has not changed in the report is the same object as before', async () => {
  const { client: one, workers } = client();
  const ask = async (value) => {
    const plan = one.plan([doc(1)], {});
    await settled();
    workers.at(-1).answer({ id: workers.at(-1).held.at(-1).id, value });
    return (await plan).pods;
  };
  const first = await ask(changes('', [{ name: 'a' }, { name: 'b' }]));
  const second = await ask(changes('', [{ name: 'x' }, 1]));
  assert.deepEqual(second, [{ name: 'x' }, { name: 'b' }]);
  assert.equal(second[1], first[1]);
  assert.deepEqual(await ask(changes('', [1, 0])), [{ name: 'b' }, { name: 'x' }]);
});

test('a plan that takes too long is ended, and the next one has another worker', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { client: one, workers } = client(5000);
  const plan = one.plan([doc(1)], {});
  await settled();
  mock.timers.tick(5000);
  await assert.rejects(plan, /takes more than 5 seconds, and was ended/);
  assert.ok(workers[0].isEnded);
  const next = one.plan([doc(1)], {});
  await settled();
  assert.equal(workers[1].held[0].args[0].length, 1);
  workers[1].answer({ id: workers[1].held[0].id, value: changes('next') });
  assert.equal((await next).mode, 'next');
  mock.timers.reset();
});

test('what waits for the worker takes no time of its own', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { client: one, workers } = client(5000);
    const plan = one.plan([doc(1)], {}, 60_000);
    await settled();
    const asked = one.call('explain', 'A5');
    await settled();
    mock.timers.tick(59_000);
    const [worker] = workers;
    worker.answer({ id: worker.held[0].id, value: changes('slow') });
    assert.equal((await plan).mode, 'slow');
    mock.timers.tick(4_000);
    worker.answer({ id: worker.held[1].id, value: 'explained' });
    assert.equal(await asked, 'explained');
    mock.timers.tick(60_000);
    assert.ok(!worker.isEnded);
    // From when the worker begins with it, its time counts.
    const [first, next] = [one.call('explain', 'A1'), one.call('explain', 'A2')];
    await settled();
    worker.answer({ id: worker.held[2].id, value: 'explained' });
    await first;
    mock.timers.tick(5_000);
    await assert.rejects(next, /takes more than 5 seconds/);
  } finally {
    mock.timers.reset();
  }
});

test('after a failure that is no sentence, all is begun anew', async () => {
  const { client: one, workers } = client();
  const plan = one.plan([doc(1)], {});
  await settled();
  const asked = one.call('explain', 'A5');
  await settled();
  workers[0].answer({ id: workers[0].held[0].id, error: 'unreachable', isFatal: true });
  await assert.rejects(plan, /The module stopped .* \(unreachable\)/);
  await assert.rejects(asked, /The module stopped/);
  assert.ok(workers[0].isEnded);
});

test('a module that cannot be loaded is tried again', async () => {
  let count = 0;
  const one = new PlanClient(async () => {
    count += 1;
    throw new Error('no network');
  }, 1000);
  await assert.rejects(one.plan([], {}), /no network/);
  await assert.rejects(one.call('explain', 'A5'), /no network/);
  assert.equal(count, 2);
});

test('the worker keeps the documents, in their order, and gives those anew that have changed', () => {
  const asked = [];
  const made = (how) =>
    function (options) {
      asked.push([how, ...this.next]);
      this.next = [];
      if (options === 'bad') throw new Error('the options cannot be read');
      if (options === 'trap') throw new WebAssembly.RuntimeError('unreachable');
      return how;
    };
  class Planner {
    next = [];
    plan = made('plan');
    changes = made('changes');
    add(name) {
      this.next.push(name);
    }
    again(number) {
      this.next.push(number);
    }
  }
  const answer = answering({ Planner, explain: (name) => `explained ${name}` });
  const plan = (changed, keys, options = '') =>
    answer({ id: 1, method: 'plan', args: [changed, keys, options] });
  const [a, b] = [
    { key: 1, name: 'a' },
    { key: 2, name: 'b' },
  ];
  assert.deepEqual(plan([a, b], [1, 2]), { id: 1, value: 'changes' });
  plan([{ ...b, name: 'c' }], [2, 1]);
  plan([], [1]);
  assert.deepEqual(answer({ id: 2, method: 'report', args: [''] }), { id: 2, value: 'plan' });
  assert.deepEqual(plan([], [1], 'bad'), { id: 1, error: 'the options cannot be read', isFatal: false });
  plan([], [1]);
  assert.deepEqual(asked, [
    ['changes', 'a', 'b'],
    ['changes', 'c', 0],
    ['changes', 1],
    ['plan', 0],
    ['changes', 0],
    // After an error nothing is known.
    ['changes', 'a'],
  ]);
  assert.deepEqual(answer({ id: 3, method: 'explain', args: ['A5'] }), { id: 3, value: 'explained A5' });
  assert.deepEqual(plan([], [1], 'trap'), { id: 1, error: 'unreachable', isFatal: true });
});
