import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";

describe.each(["wasm", "js"] as const)("the table in %s", (kind) => {
  it("counts linked clusters, relinked ones once", () => {
    const engine = createEngine(kind, 4096, 1);
    engine.scan({ origin: 1, lastEntry: 0, hostLimit: 1_000_000 });
    engine.link(0, 0, 10);
    engine.link(5, 20, 10);
    engine.unlink(3, 4);
    engine.link(0, 0, 0);
    engine.unlink(0, 0);
    expect(engine.allocatedCount).toBe(11);
    expect([...engine.bat.subarray(0, 9)]).toEqual([1, 2, 3, 0, 0, 0, 0, 23, 24]);
  });
});
