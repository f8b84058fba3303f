/** What the library weighs where it is delivered: bounds for what was reached, and what a page does not load. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bundleOf } from "../../bench/sizes.js";
import { ROOT } from "./installation.js";

const KIB = 1024;

describe("The sizes", () => {
  it("of engine.wasm stay below 8 KiB", () => {
    expect(readFileSync(join(ROOT, "dist/engine.wasm")).length).toBeLessThan(8 * KIB);
  });

  it("of bundles, minified and packed, stay near what was reached", async () => {
    const [all, disk] = [
      await bundleOf(`export * from "./dist/index.js"`),
      await bundleOf(`export { Disk, MemoryStorage } from "./dist/index.js"`),
    ];
    expect(all.packed).toBeLessThan(70 * KIB);
    expect(disk.packed).toBeLessThan(48 * KIB);
  });

  it("of a disk in memory have no part in other storages, workers and chains", async () => {
    const { files } = await bundleOf(`export { Disk, DiskSync, MemoryStorage } from "./src/index.js"`);
    const kept = [...files.keys()].filter((file) => file.startsWith("src/"));
    expect(kept).toContain("src/engine/wasm-bytes.ts");
    const others = /^src\/(worker|bundle|adapters|cli)\/|^src\/storage\/(http|opfs|handle|cached|blob|block)|owners/;
    expect(kept.filter((file) => others.test(file))).toEqual([]);
  });
});
