// The page's policy of trusted types makes URLs of its own scripts, and of no others.

import assert from 'node:assert/strict';
import { test } from 'node:test';

test('only what the page made itself', async () => {
  const policies = [];
  globalThis.trustedTypes = {
    createPolicy(name, rules) {
      policies.push({ name, ...rules });
      return rules;
    },
  };
  const { scriptUrl, serviceWorkerUrl } = await import('../page/trusted.js');
  const [policy, ...others] = policies;
  assert.deepEqual([policy.name, others], ['kuma-workload', []]);
  const url = scriptUrl('1;');
  assert.match(url, /^blob:/);
  assert.equal(policy.createScriptURL(url), url);
  assert.equal(serviceWorkerUrl(), './service-worker.js');
  for (const other of ['blob:null/1', 'https://elsewhere.example/x.js', './main.js', `${url}#x`]) {
    assert.throws(() => policy.createScriptURL(other), /this page runs no script but its own/);
  }
});
