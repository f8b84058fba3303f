/**
 * Chooses the implementation: WebAssembly wherever the platform lets the module compile and has memory for it, the plain
 * TypeScript twin elsewhere (a page whose CSP lacks `wasm-unsafe-eval`, a runtime without SIMD, a process whose address
 * space is short: each WebAssembly memory reserves gigabytes of it).
 */

import type { EngineKind } from "./engine.js";
import { isNoMemory } from "./memory.js";
import { compileModule } from "./wasm-module.js";

/**
 * Makes something of a module, or its twin.
 *
 * @param kind `undefined` takes WebAssembly if it can be had, and `fallback` says why not; a name takes that one and no other
 * @throws DiskError NO_MEMORY, UNSUPPORTED if `kind` is "wasm" and there is no memory for it, or no compiling
 */
export function choose<T>(
  base64: string,
  kind: EngineKind | undefined,
  makeWasm: (module: WebAssembly.Module) => T,
  makeJs: (fallback: Error | undefined) => T,
): T {
  if (kind === "js") return makeJs(undefined);
  const compiled = compileModule(base64);
  if (compiled instanceof Error) {
    if (kind === "wasm") throw compiled;
    return makeJs(compiled);
  }
  try {
    return makeWasm(compiled);
  } catch (error) {
    if (kind === "wasm" || !isNoMemory(error)) throw error;
    return makeJs(error);
  }
}
