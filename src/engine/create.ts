/** Makes what works on an image's tables, zero scanners and dirty bits, in WebAssembly or in its plain TypeScript twin. */

import { quote } from "../printable.js";
import { choose } from "./choose.js";
import type { DirtyBits } from "./dirty.js";
import type { Engine, EngineKind, ZeroScanner } from "./engine.js";
import { JsEngine, JsZeroScanner } from "./js.js";
import { JsDirtyBits } from "./js-dirty.js";
import { WasmEngine } from "./wasm.js";
import { wasmBase64 } from "./wasm-bytes.js";
import { WasmDirtyBits } from "./wasm-dirty.js";
import { compileModule } from "./wasm-module.js";
import { WasmZeroScanner } from "./wasm-zero.js";

/**
 * Makes the engine of one image.
 *
 * @param kind `undefined` takes WebAssembly if it can be had, and `fallback` says why not; a name takes that one and no other
 * @param entryCount BAT entries, at most 2^29 - 1
 * @param step entry units between neighbouring clusters, at least 1
 * @throws DiskError NO_MEMORY if there is not enough memory for the BAT, or for WebAssembly where `kind` asks for that
 * @throws DiskError UNSUPPORTED if `kind` is "wasm" and the module cannot be compiled; `cause` says why
 */
export function createEngine(kind: EngineKind | undefined, entryCount: number, step: number): Engine {
  return choose<Engine>(
    wasmBase64,
    kind,
    (module) => new WasmEngine(module, entryCount, step),
    (fallback) => new JsEngine(entryCount, step, fallback),
  );
}

/** Makes a bitmap of `bitCount` bits, at most 2^31, all clear; `kind` and errors as for {@link createEngine}. */
export function createDirtyBits(kind: EngineKind | undefined, bitCount: number): DirtyBits {
  return choose<DirtyBits>(
    wasmBase64,
    kind,
    (module) => new WasmDirtyBits(module, bitCount),
    (fallback) => new JsDirtyBits(bitCount, fallback),
  );
}

/** @throws RangeError for what is no kind of engine */
export function requireKind(kind: EngineKind | undefined): void {
  if (kind !== undefined && kind !== "wasm" && kind !== "js")
    throw new RangeError(`engine: expected "wasm" or "js", got ${quote(kind)}`);
}

/** Makes a zero scanner over a buffer of `size` bytes; `kind` and errors as for {@link createEngine}. @throws RangeError */
export function createZeroScanner(kind: EngineKind | undefined, size: number): ZeroScanner {
  requireKind(kind);
  if (!Number.isSafeInteger(size) || size < 0)
    throw new RangeError(`size: expected a number of bytes, got ${quote(size)}`);
  return choose<ZeroScanner>(
    wasmBase64,
    kind,
    (module) => new WasmZeroScanner(module, size),
    (fallback) => new JsZeroScanner(size, fallback),
  );
}

/** A zero scanner for the work on an image: of its engine's kind, or whatever can be had where memory is short. */
export function scannerBeside({ kind }: Engine, size: number): ZeroScanner {
  return createZeroScanner(kind === "js" ? kind : undefined, size);
}

/** Dirty bits for the work on an image, likewise. */
export function bitsBeside({ kind }: Pick<Engine, "kind">, bitCount: number): DirtyBits {
  return createDirtyBits(kind === "js" ? kind : undefined, bitCount);
}

/** Why engines made without a kind are plain TypeScript here; `undefined` if they can be WebAssembly. */
export function wasmUnavailable(): Error | undefined {
  const compiled = compileModule(wasmBase64);
  return compiled instanceof Error ? compiled : undefined;
}
