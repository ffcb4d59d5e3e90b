// For Node: the module is read from the package, once.
import { readFileSync } from 'node:fs';
import { initSync } from './kuma_workload_plan.js';

initSync({ module: readFileSync(new URL('./kuma_workload_plan_bg.wasm', import.meta.url)) });

export * from './plan.js';
