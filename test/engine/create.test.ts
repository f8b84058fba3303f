import { afterEach, describe, expect, it, vi } from "vitest";
import { createEngine, createZeroScanner, wasmUnavailable } from "../../src/engine/create.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** The same module where compiling is forbidden, as a page's content security policy does it. */
async function withoutWasm() {
  vi.resetModules();
  vi.stubGlobal("WebAssembly", {
    Module: class {
      constructor() {
        throw new EvalError("blocked by CSP");
      }
    },
  });
  return import("../../src/engine/create.js");
}

describe("choosing an engine", () => {
  it("takes WebAssembly where it can be had", () => {
    expect(createEngine(undefined, 10, 1).kind).toBe("wasm");
    expect(createZeroScanner(undefined, 10).kind).toBe("wasm");
    expect(wasmUnavailable()).toBeUndefined();
  });

  it("takes the kind it is told", () => {
    expect([createEngine("js", 10, 1).kind, createEngine("wasm", 10, 1).kind]).toEqual(["js", "wasm"]);
  });

  it("falls back to plain TypeScript where the module cannot be compiled, and tells why", async () => {
    const { createEngine, createZeroScanner, wasmUnavailable } = await withoutWasm();
    expect(createEngine(undefined, 10, 1).kind).toBe("js");
    expect(createZeroScanner(undefined, 10).kind).toBe("js");
    expect(wasmUnavailable()?.cause).toBeInstanceOf(EvalError);
  });

  it("is told by a disk, too", async () => {
    await withoutWasm();
    const { DiskSync } = await import("../../src/disk-sync.js");
    const { MemoryStorage } = await import("../../src/storage/memory.js");
    const disk = DiskSync.create(new MemoryStorage(), { size: 512 });
    expect(disk.info).toMatchObject({ engine: "js", engineFallback: "blocked by CSP" });
    expect(() => DiskSync.create(new MemoryStorage(), { size: 512, engine: "wasm" })).toThrow(/cannot be compiled/);
  });

  it("throws with the cause where WebAssembly was asked for by name", async () => {
    const { createEngine } = await withoutWasm();
    expect(() => createEngine("wasm", 10, 1)).toThrow(expect.objectContaining({ cause: expect.any(EvalError) }));
  });

  it("keeps engines apart", () => {
    const [one, other] = [createEngine("wasm", 10, 1), createEngine("wasm", 10, 1)];
    one.link(0, 3, 4);
    expect([...other.bat]).toEqual(new Array(10).fill(0));
  });

  it("says NO_MEMORY where 4 GiB of WebAssembly memory are not enough, if it was asked for by name", () => {
    expect(() => createZeroScanner("wasm", 0xffffffff)).toThrow(expect.objectContaining({ code: "NO_MEMORY" }));
  });

  it("takes the largest table the format allows", () => {
    const engine = createEngine("wasm", 2 ** 29 - 1, 1);
    engine.bat[2 ** 29 - 2] = 5;
    expect(engine.map(2 ** 29 - 100, 99)).toBe(2);
    expect([...engine.extents.subarray(0, 4)]).toEqual([98, 0, 1, 5]);
    engine.link(2 ** 29 - 3, 7, 1);
    expect(engine.bat[2 ** 29 - 3]).toBe(engine.origin + 7);
  });
});
