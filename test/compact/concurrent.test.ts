/** Guests that read, write and give up while their disk is compacted again and again: each finds what it wrote. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { expectSame } from "../model/world.js";
import { compactIn } from "../support/compacting.js";
import { engines, readRange } from "../support/faces.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { ShortStorage, ShuffledStorage } from "../support/storages.js";

interface Plan {
  format: Format;
  clusterSize: number;
  clusters: number;
  guests: number;
  base: boolean;
  order: boolean;
  window: number;
  seed: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  format: fc.constantFrom<Format>("v1", "v2"),
  clusterSize: fc.constantFrom(512, 4096, 63 * 512),
  clusters: fc.integer({ min: 4, max: 60 }),
  guests: fc.integer({ min: 1, max: 5 }),
  base: fc.boolean(),
  order: fc.boolean(),
  window: fc.integer({ min: 1, max: 20 }),
  seed: fc.nat(),
});

/** A guest has a part of the disk to itself; its ends lie amid clusters. */
async function guest(disk: Disk, model: Uint8Array, start: number, end: number, baseSize: number, random: Random) {
  for (let step = 0; step < 40; step++) {
    const offset = start + below(random, end - start);
    const length = 1 + below(random, Math.min(end - offset, 3 * disk.clusterSize));
    const part = model.subarray(offset, offset + length);
    switch (below(random, 7)) {
      case 0:
        await disk.discard(offset, length);
        part.fill(0, Math.min(length, Math.max(0, baseSize - offset)));
        break;
      case 1:
        await disk.writeZeroes(offset, length);
        part.fill(0);
        break;
      case 2:
        await disk.flush();
        break;
      case 3:
        part.fill(0);
        await disk.write(new Uint8Array(length), offset);
        break;
      case 4:
      case 5:
        part.set(patternBytes(below(random, 1e6), length));
        await disk.write(part.slice(), offset);
        break;
      default:
        expectSame(await readRange(disk, offset, length), part, offset);
    }
  }
}

describe.each(engines)("compact beside guests (%s engine)", (engine) => {
  it("loses nothing, shows nothing else, and leaves an image without leaks", async () => {
    let moved = 0;
    const property = fc.asyncProperty(plans, async (plan) => {
      const { clusterSize, clusters, format, guests, seed } = plan;
      const random = randomFrom(seed);
      const size = clusters * clusterSize - 512 * below(random, clusterSize / 512);
      const baseSize = plan.base ? below(random, size) : 0;
      const base = plan.base ? new MemoryStorage(patternBytes(9, baseSize)) : undefined;
      const memory = new MemoryStorage();
      const storage = new ShuffledStorage(seed % 2 ? new ShortStorage(memory, random) : memory, random);
      const options = { size, clusterSize, format, engine, ...(base && { base }) };
      const disk = await Disk.create(storage, options);
      const model = new Uint8Array(size);
      if (plan.base) model.set(patternBytes(9, baseSize));
      const ends = Array.from({ length: guests + 1 }, (_, index) => Math.floor((size * index) / guests));
      let left = guests;
      const work = ends.slice(1).map(async (end, index) => {
        await guest(disk, model, ends[index], end, baseSize, randomFrom(seed + index)).finally(() => left--);
      });
      const compacting = (async () => {
        while (left > 0) {
          moved += (await compactIn(disk, plan.window * clusterSize, { order: plan.order })).movedClusters;
          await new Promise((resolve) => setTimeout(resolve));
        }
      })();
      await Promise.all([...work, compacting]);
      expectSame(await readRange(disk), model, 0);
      const quiet = await compactIn(disk, plan.window * clusterSize, { order: plan.order });
      expect(memory.size()).toBe(quiet.fileSizeAfter);
      const report = await disk.check();
      expect(report).toMatchObject({ leaks: 0, corruptions: 0, imageEndOffset: quiet.fileSizeAfter });
      if (plan.order) expect(report.fragmentedClusters).toBe(0);
      await disk.close();
      const file = new MemoryStorage(memory.toUint8Array());
      const again = await Disk.open(file, { readOnly: true, ...(base && { base }) });
      expect((await again.check()).findings).toEqual([]);
      expectSame(await readRange(again), model, 0);
    });
    await fc.assert(property, runs(100, 15));
    expect(moved).toBeGreaterThan(10);
  });
});
