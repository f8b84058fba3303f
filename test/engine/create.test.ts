import { afterEach, describe, expect, it, vi } from "vitest";
import { createDirtyBits, createEngine, createZeroScanner, wasmUnavailable } from "../../src/engine/create.js";
import { createOwners } from "../../src/engine/create-owners.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** The same modules on another platform: `fail` is called where a part of WebAssembly is made there. */
async function whereWasmFails(fail: (part: "Module" | "Instance") => void) {
  vi.resetModules();
  const { Module, Instance } = WebAssembly;
  class FailingModule extends Module {
    constructor(bytes: BufferSource) {
      fail("Module");
      super(bytes);
    }
  }
  class FailingInstance extends Instance {
    constructor(module: WebAssembly.Module) {
      fail("Instance");
      super(module);
    }
  }
  vi.stubGlobal("WebAssembly", { Module: FailingModule, Instance: FailingInstance });
  return { ...(await import("../../src/engine/create.js")), ...(await import("../../src/engine/create-owners.js")) };
}

/** Where compiling is forbidden, as a page's content security policy does it. */
function withoutWasm() {
  return whereWasmFails(() => {
    throw new EvalError("blocked by CSP");
  });
}

describe("choosing an engine", () => {
  it("takes WebAssembly where it can be had", () => {
    expect(createEngine(undefined, 10, 1).kind).toBe("wasm");
    expect(createZeroScanner(undefined, 10).kind).toBe("wasm");
    expect(wasmUnavailable()).toBeUndefined();
  });

  it("takes the kind it is told", () => {
    expect([createEngine("js", 10, 1).kind, createEngine("wasm", 10, 1).kind]).toEqual(["js", "wasm"]);
    expect([createOwners("js", 10).kind, createOwners("wasm", 10).kind]).toEqual(["js", "wasm"]);
    expect([createDirtyBits("js", 10).kind, createDirtyBits("wasm", 10).kind]).toEqual(["js", "wasm"]);
  });

  it("falls back to plain TypeScript where the module cannot be compiled, and tells why", async () => {
    const { createDirtyBits, createEngine, createOwners, createZeroScanner, wasmUnavailable } = await withoutWasm();
    for (const made of [
      createEngine(undefined, 10, 1),
      createOwners(undefined, 10),
      createZeroScanner(undefined, 10),
      createDirtyBits(undefined, 10),
    ]) {
      expect([made.kind, made.fallback?.cause]).toEqual(["js", new EvalError("blocked by CSP")]);
    }
    expect(wasmUnavailable()?.cause).toBeInstanceOf(EvalError);
  });

  it("falls back where no instance can be made, each time anew, and says so of that one only", async () => {
    let short = true;
    const { createDirtyBits, createEngine, createOwners, createZeroScanner, wasmUnavailable } = await whereWasmFails(
      (part) => {
        if (part === "Instance" && short) throw new RangeError("no address space");
      },
    );
    const makers = [
      (kind?: "wasm" | "js") => createEngine(kind, 10, 1),
      (kind?: "wasm" | "js") => createOwners(kind, 10),
      (kind?: "wasm" | "js") => createZeroScanner(kind, 10),
      // Too long for the memory that others share.
      (kind?: "wasm" | "js") => createDirtyBits(kind, 2 ** 25),
    ];
    for (const make of makers) {
      short = true;
      const { kind, fallback } = make();
      expect([kind, fallback]).toMatchObject(["js", { code: "NO_MEMORY", cause: { message: "no address space" } }]);
      expect(() => make("wasm")).toThrow(expect.objectContaining({ code: "NO_MEMORY" }));
      expect(make("js").fallback).toBeUndefined();
      short = false;
      expect([make().kind, make().fallback, wasmUnavailable()]).toEqual(["wasm", undefined, undefined]);
    }
  });

  it("compiles the module later where memory was short for that at first", async () => {
    let attempts = 0;
    const { createEngine } = await whereWasmFails((part) => {
      if (part === "Module" && attempts++ === 0) throw new RangeError("out of memory");
    });
    expect(createEngine(undefined, 10, 1).fallback).toMatchObject({ code: "NO_MEMORY" });
    expect([createEngine(undefined, 10, 1).kind, createEngine("wasm", 10, 1).kind, attempts]).toEqual([
      "wasm",
      "wasm",
      2,
    ]);
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
