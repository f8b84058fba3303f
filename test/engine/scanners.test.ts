/** Zero scanners share memory: how much of it, who gets whose buffer, and that nothing is seen in it. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

const isAll = (bytes: Uint8Array, byte: number): boolean =>
  Buffer.compare(bytes, Buffer.alloc(bytes.length, byte)) === 0;

/** The sources anew, with a count of the instances that they make. */
async function counting() {
  const made = { instances: 0 };
  class Instance extends WebAssembly.Instance {
    constructor(module: WebAssembly.Module) {
      super(module);
      made.instances++;
    }
  }
  vi.resetModules();
  vi.stubGlobal("WebAssembly", { Module: WebAssembly.Module, Instance });
  const { createZeroScanner } = await import("../../src/engine/create.js");
  return { made, scanner: (size: number) => createZeroScanner("wasm", size) };
}

describe("Zero scanners in WebAssembly", () => {
  it("by the thousand have one memory, whether they are given back or not", async () => {
    const { made, scanner } = await counting();
    const kept = Array.from({ length: 100 }, () => scanner(4096));
    for (let index = 0; index < 10_000; index++) scanner(2 ** 20).release();
    expect(made.instances).toBe(1);
    expect(kept.every(({ buffer }) => buffer.length === 4096)).toBe(true);
    for (let index = 0; index < 200; index++) scanner(2 ** 20);
    expect(made.instances).toBeLessThan(20);
  });

  it("never share a byte, and their buffers stay whole whatever others come and go", async () => {
    const { scanner } = await counting();
    const sizes = Array.from(
      { length: 400 },
      (_, index) => [0, 1, 63, 64, 65, 5000, 70_000, 2 ** 21, 3 * 2 ** 20][(index * 7) % 9],
    );
    const live = new Map<ReturnType<typeof scanner>, number>();
    sizes.forEach((size, index) => {
      const mine = scanner(size);
      expect(mine.buffer.length).toBe(size);
      expect(mine.isZero(0, size)).toBe(true);
      mine.buffer.fill(1 + (index % 250));
      live.set(mine, 1 + (index % 250));
      for (const [other, byte] of live) {
        if (other === mine || (other.buffer.length + index) % 3) continue;
        expect(isAll(other.buffer, byte)).toBe(true);
        other.release();
        live.delete(other);
      }
    });
    for (const [other, byte] of live) expect(isAll(other.buffer, byte)).toBe(true);
  });

  it("find zeros in a buffer that another has filled and given back", async () => {
    const { scanner } = await counting();
    const [first, beside] = [scanner(5000), scanner(5000)];
    first.buffer.fill(9);
    beside.buffer.fill(7);
    first.release();
    first.release();
    expect(first.buffer.length).toBe(0);
    const second = scanner(4100);
    expect(second.buffer.buffer === beside.buffer.buffer).toBe(true);
    expect([second.isZero(0, 4100), isAll(second.buffer, 0)]).toEqual([true, true]);
    const third = scanner(4100);
    second.buffer.fill(8);
    expect(third.isZero(0, 4100)).toBe(true);
    expect(isAll(beside.buffer, 7)).toBe(true);
  });

  it("of a hundred checks have one memory beside that of the disk", async () => {
    const { made } = await counting();
    const { DiskSync } = await import("../../src/disk-sync.js");
    const disk = DiskSync.create(new MemoryStorage(), { size: 2 ** 20, clusterSize: 65536, engine: "wasm" });
    disk.write(new Uint8Array(5 * 65536).fill(1), 0);
    disk.discard(65536, 65536);
    disk.flush();
    for (let round = 0; round < 100; round++) expect(disk.check().corruptions).toBe(0);
    expect(made.instances).toBe(2);
  });
});
