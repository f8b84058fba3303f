/**
 * Chooses the implementation: WebAssembly wherever the platform lets the module compile, the plain
 * TypeScript twin elsewhere (a page whose CSP lacks `wasm-unsafe-eval`, a runtime without SIMD).
 */

import type { Engine, EngineKind, ZeroScanner } from "./engine.js";
import { JsEngine, JsZeroScanner } from "./js.js";
import { compileEngine, WasmEngine, WasmZeroScanner } from "./wasm.js";

/**
 * Makes the engine of one image.
 *
 * @param kind `undefined` takes WebAssembly if it can be had; a name takes that one and no other
 * @param entryCount BAT entries, at most 2^29 - 1
 * @param step entry units between neighbouring clusters, at least 1
 * @throws RangeError if there is not enough memory for the BAT
 * @throws Error if `kind` is "wasm" and the module cannot be compiled; `cause` says why
 */
export function createEngine(kind: EngineKind | undefined, entryCount: number, step: number): Engine {
  const module = chooseModule(kind);
  return module ? new WasmEngine(module, entryCount, step) : new JsEngine(entryCount, step);
}

/** Makes a zero scanner over a buffer of `size` bytes; `kind` and errors as for {@link createEngine}. */
export function createZeroScanner(kind: EngineKind | undefined, size: number): ZeroScanner {
  const module = chooseModule(kind);
  return module ? new WasmZeroScanner(module, size) : new JsZeroScanner(size);
}

/** Why engines made without a kind are plain TypeScript here; `undefined` if they are WebAssembly. */
export function wasmUnavailable(): Error | undefined {
  const compiled = compileEngine();
  return compiled instanceof Error ? compiled : undefined;
}

function chooseModule(kind: EngineKind | undefined): WebAssembly.Module | undefined {
  if (kind === "js") return undefined;
  const compiled = compileEngine();
  if (!(compiled instanceof Error)) return compiled;
  if (kind === "wasm") throw compiled;
  return undefined;
}
