import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";
import { DIRTY_BLOCK_SIZE } from "../../src/engine/engine.js";
import { dirtyBlocks } from "./naive.js";

const BLOCK = DIRTY_BLOCK_SIZE / 4;

describe.each(["wasm", "js"] as const)("dirty blocks in %s", (kind) => {
  function engineOf(blocks: number) {
    const engine = createEngine(kind, blocks * BLOCK, 1);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit: 1_000_000 });
    return engine;
  }

  it("has none after a scan", () => {
    expect(engineOf(5).nextDirtyBlock(0)).toBe(-1);
  });

  it("has each block that a link or an unlink touches, and no other", () => {
    const engine = engineOf(200);
    engine.link(BLOCK - 1, 0, 2);
    engine.unlink(BLOCK * 70, 1);
    engine.link(BLOCK * 130 - 1, 5, 1);
    engine.link(0, 0, 0);
    engine.unlink(BLOCK * 3, 0);
    expect(dirtyBlocks(engine)).toEqual([0, 1, 70, 129]);
    expect([engine.nextDirtyBlock(2), engine.nextDirtyBlock(130)]).toEqual([70, -1]);
  });

  it("has the last block of a table that ends inside it", () => {
    const engine = createEngine(kind, BLOCK * 64 + 1, 1);
    engine.link(BLOCK * 64, 0, 1);
    expect(dirtyBlocks(engine)).toEqual([64]);
    expect(engine.nextDirtyBlock(65)).toBe(-1);
  });

  it("sets and clears ranges", () => {
    const engine = engineOf(300);
    engine.setDirty(10, 200, true);
    engine.setDirty(60, 130, false);
    engine.setDirty(5, 0, true);
    const expected = [...Array(300).keys()].filter(
      (block) => block >= 10 && block < 210 && (block < 60 || block >= 190),
    );
    expect(dirtyBlocks(engine)).toEqual(expected);
  });

  it("counts linked clusters, relinked ones once", () => {
    const engine = engineOf(1);
    engine.link(0, 0, 10);
    engine.link(5, 20, 10);
    engine.unlink(3, 4);
    expect(engine.allocatedCount).toBe(11);
    expect([...engine.bat.subarray(0, 9)]).toEqual([1, 2, 3, 0, 0, 0, 0, 23, 24]);
  });
});
