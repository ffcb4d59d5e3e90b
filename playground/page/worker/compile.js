/** The module, compiled: as it arrives where it is served, and from the page itself where all is in one file. */

const FILE = './kuma_workload_plan_bg.wasm';

/** @returns {Promise<WebAssembly.Module>} the module that is served beside the page */
export async function compileServed() {
  const response = await fetch(FILE);
  if (!response.ok) throw new Error(`the server answers ${response.status} for ${FILE.slice(2)}`);
  const isTyped = response.headers.get('content-type')?.startsWith('application/wasm');
  if (isTyped) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

/**
 * @param {string} base64 the module's bytes
 * @returns {Promise<WebAssembly.Module>} the module
 */
export async function compileInline(base64) {
  return WebAssembly.compile(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}
