/**
 * Requests in flight on an open disk while snapshots are taken, deleted and gone back to: each writer has clusters of its
 * own and counts up, so that what a snapshot may show of each follows from what had been answered, and what been asked.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bundle } from "../../src/bundle.js";
import type { Folder } from "../../src/storage/folder.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { engines } from "../support/faces.js";
import { below, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { ShortStorage, ShuffledStorage } from "../support/storages.js";

const CLUSTER = 4096;
const WRITERS = 12;

/** Its files answer late, in another order, and short. */
function lateFolder(memory: MemoryFolder, random: () => number): Folder {
  const late = (storage: ReturnType<MemoryFolder["open"]>) =>
    new ShuffledStorage(new ShortStorage(storage as never, random) as never, random);
  return {
    list: () => memory.list(),
    open: (name, options) => late(memory.open(name, options)),
    create: (name) => late(memory.create(name)),
    rename: (from, to) => memory.rename(from, to),
    remove: (name) => memory.remove(name),
    sync: () => memory.sync(),
  };
}

describe.each(engines)("Writers beside the verbs of a bundle (%s engine)", (engine) => {
  it("lose nothing, and no snapshot shows what came later", async () => {
    const property = fc.asyncProperty(fc.nat(), fc.boolean(), async (seed, split) => {
      const random = randomFrom(seed);
      const memory = new MemoryFolder();
      const size = WRITERS * 2 * CLUSTER;
      const bundle = await Bundle.create(lateFolder(memory, random), {
        ...{ size, clusterSize: CLUSTER, engine },
        ...(split ? { split: 7 * CLUSTER } : {}),
      });
      const disk = await bundle.openDisk();
      const answered = new Array<number>(WRITERS).fill(0);
      const asked = new Array<number>(WRITERS).fill(0);
      const kept = new Map<string, { least: number[]; most: number[] }>();
      let over = false;
      const writer = async (index: number) => {
        for (let count = 1; count < 250 && (!over || count < 3); count++) {
          asked[index] = count;
          await disk.write(new Uint8Array(CLUSTER + 512).fill(count), 2 * index * CLUSTER + 256);
          answered[index] = count;
        }
      };
      const writers = Array.from({ length: WRITERS }, (_, index) => writer(index));
      for (let verb = 0; verb < 7; verb++) {
        const guids = [...kept.keys()];
        if (guids.length > 1 && random() < 0.5) {
          const [guid] = guids.splice(below(random, guids.length), 1);
          await bundle.deleteSnapshot(guid);
          kept.delete(guid);
        } else {
          const least = answered.slice();
          const guid = await bundle.createSnapshot();
          kept.set(guid, { least, most: asked.slice() });
        }
      }
      over = true;
      await Promise.all(writers);
      await disk.close();
      kept.set(bundle.top, { least: answered, most: answered });
      for (const [guid, { least, most }] of kept) {
        const shown = await bundle.openDisk({ snapshot: guid, readOnly: true });
        const bytes = new Uint8Array(size);
        await shown.read(bytes, 0);
        await shown.close();
        for (let index = 0; index < WRITERS; index++) {
          const own = bytes.subarray(2 * index * CLUSTER + 256, 2 * index * CLUSTER + 256 + CLUSTER + 512);
          expect(own.every((byte) => byte === own[0])).toBe(true);
          expect(own[0]).toBeGreaterThanOrEqual(least[index]);
          expect(own[0]).toBeLessThanOrEqual(most[index]);
        }
      }
      await bundle.close();
    });
    await fc.assert(property, runs(60, 4));
  });
});
