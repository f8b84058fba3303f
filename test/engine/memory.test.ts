/** What the WebAssembly engine does when its memory cannot grow: its modules are given a ceiling of 64 pages. */

import { beforeAll, expect, it } from "vitest";
import { NO_HOST_CLUSTER } from "../../src/engine/engine.js";
import { WasmEngine } from "../../src/engine/wasm.js";
import { wasmBase64 } from "../../src/engine/wasm-bytes.js";
import { WasmDirtyBits } from "../../src/engine/wasm-dirty.js";
import { WasmOwners } from "../../src/engine/wasm-owners.js";
import { ownersBase64 } from "../../src/engine/wasm-owners-bytes.js";
import { WasmZeroScanner } from "../../src/engine/wasm-zero.js";
import { usedRanges } from "./naive.js";

const GRID = { origin: 1, lastEntry: 0xffffffff, hostLimit: 0xfffffffe };
const CEILING_BYTES = 64 * 65536;

let module: WebAssembly.Module;
let ownersModule: WebAssembly.Module;

beforeAll(() => {
  module = new WebAssembly.Module(withCeiling(Buffer.from(wasmBase64, "base64"), 64));
  ownersModule = new WebAssembly.Module(withCeiling(Buffer.from(ownersBase64, "base64"), 64));
});

/** Rewrites the memory section (id 5: one memory, limits without a maximum) to have a maximum. */
function withCeiling(bytes: Buffer<ArrayBuffer>, pages: number): Buffer<ArrayBuffer> {
  for (let at = 8; at < bytes.length; ) {
    const section = at++;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      size |= (bytes[at] & 0x7f) << shift;
      if (bytes[at++] < 0x80) break;
    }
    if (bytes[section] === 5) {
      const [memories, flags, minimum] = bytes.subarray(at, at + size);
      expect([memories, flags, size]).toEqual([1, 0, 3]);
      const limited = Buffer.from([5, 4, 1, 1, minimum, pages]);
      return Buffer.concat([bytes.subarray(0, section), limited, bytes.subarray(at + size)]);
    }
    at += size;
  }
  throw new Error("the module has no memory section");
}

const NO_MEMORY = expect.objectContaining({ code: "NO_MEMORY", message: expect.stringContaining("not enough memory") });

it("throws NO_MEMORY for tables, a buffer or bits that do not fit", () => {
  expect(() => new WasmEngine(module, CEILING_BYTES / 4, 1)).toThrow(NO_MEMORY);
  expect(() => new WasmOwners(ownersModule, CEILING_BYTES / 6)).toThrow(NO_MEMORY);
  expect(() => new WasmZeroScanner(module, CEILING_BYTES)).toThrow(NO_MEMORY);
  expect(() => new WasmDirtyBits(module, CEILING_BYTES * 8)).toThrow(NO_MEMORY);
});

it("leaves everything as it was when reserve or allocate cannot grow the bitmap", () => {
  const engine = new WasmEngine(module, 70_000, 1);
  engine.bat[5] = 9;
  engine.scan(GRID);
  engine.reserve(3, 5);
  expect(() => engine.reserve(100_000_000, 1)).toThrow(NO_MEMORY);
  engine.reserve(0, 3);
  expect(() => engine.allocate(100_000_000, NO_HOST_CLUSTER)).toThrow(NO_MEMORY);
  expect(usedRanges(engine)).toEqual([[0, 9]]);
  expect([engine.usedCount, engine.end, engine.bat[5], engine.bat.length]).toEqual([9, 9, 9, 70_000]);
  expect([engine.allocate(2, NO_HOST_CLUSTER), engine.allocatedRun]).toEqual([9, 2]);
});

it("leaves everything as it was when the BAT cannot grow", () => {
  const engine = new WasmEngine(module, 70_000, 1);
  engine.bat.set([5, 6, 0, 8]);
  engine.scan(GRID);
  expect(() => engine.grow(CEILING_BYTES / 4)).toThrow(NO_MEMORY);
  expect([engine.entryCount, engine.bat.length, ...engine.bat.subarray(0, 5)]).toEqual([70_000, 70_000, 5, 6, 0, 8, 0]);
  expect(usedRanges(engine)).toEqual([
    [4, 6],
    [7, 8],
  ]);
  engine.grow(500_000);
  expect([engine.bat.length, engine.bat[3], engine.end]).toEqual([500_000, 8, 8]);
});

it("leaves no cluster used after a scan that ran out of memory, and can scan again", () => {
  const engine = new WasmEngine(module, 70_000, 1);
  engine.bat.set([5, 100_000_000, 7]);
  expect(() => engine.scan(GRID)).toThrow(NO_MEMORY);
  expect([engine.usedCount, engine.end, engine.allocatedCount, engine.nextFree(0)]).toEqual([0, 0, 0, 0]);
  engine.bat[1] = 9;
  expect(engine.scan(GRID)).toMatchObject({ allocated: 3, end: 9 });
  expect(engine.usedCount).toBe(3);
});
