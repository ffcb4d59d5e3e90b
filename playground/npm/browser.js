// For browsers, and so for bundlers: the module is fetched from beside this file, once.
import init from './kuma_workload_plan.js';

await init({ module_or_path: new URL('./kuma_workload_plan_bg.wasm', import.meta.url) });

export * from './plan.js';
