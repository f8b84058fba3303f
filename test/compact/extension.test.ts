/** Compacting images whose format extension lies among their clusters: it is drawn in like them, and its bitmaps stay what they are. */
import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { expectSame } from "../model/world.js";
import { compactIn } from "../support/compacting.js";
import { withExtension } from "../support/extension.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { below, randomFrom } from "../support/random.js";

const TRACKS = 8;
const CLUSTER = TRACKS * 512;
const GUESTS = 40;

/** An image with gaps, its extension and the bitmap's cluster amid them, or at its end. */
function imageOf(seed: number): Uint8Array<ArrayBuffer> {
  const random = randomFrom(seed);
  const places = Array.from({ length: 64 }, (_, place) => place);
  for (let index = 63; index > 0; index--) {
    const other = below(random, index + 1);
    [places[index], places[other]] = [places[other], places[index]];
  }
  const hosts = Array.from({ length: GUESTS }, (_, guest) => (random() < 0.7 ? places[guest] : -1));
  const image = makeImage({ format: seed % 2 ? "v1" : "v2", tracks: TRACKS, hosts, hostCount: 64 });
  const start = image.length / 512 - 64 * TRACKS;
  const sectors = seed % 3 === 0 ? undefined : [start + places[62] * TRACKS, start + places[63] * TRACKS];
  return withExtension(image, [{ granularity: 1, dirty: [1, 3, 200] }], sectors && { sectors });
}

describe.each(combinations)(
  "compact of images with a format extension ($face face, $engine engine)",
  ({ face, engine }) => {
    it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])("leaves no gap, and the bitmap says what it said (%i)", async (seed) => {
      const memory = new MemoryStorage(imageOf(seed));
      const disk = await openDisk(face, memory, { engine });
      const [before, dirty] = [await readRange(disk), await disk.dirtyRanges(disk.bitmaps[0].id)];
      expect(dirty.length).toBe(3);
      const order = seed % 4 < 2;
      const foreseen = await compactIn(disk, 5 * CLUSTER, { order, dryRun: true });
      const report = await compactIn(disk, 5 * CLUSTER, { order });
      expect({ ...report, movedClusters: 0 }).toEqual({ ...foreseen, movedClusters: 0 });
      expect(memory.size()).toBe(report.fileSizeAfter);
      expect(report.fileSizeAfter).toBe(disk.info.dataOffset + disk.allocatedBytes + 2 * CLUSTER);
      const check = await disk.check();
      expect(check).toMatchObject({ leaks: 0, corruptions: 0 });
      if (order) expect(check.fragmentedClusters).toBe(0);
      const after = memory.toUint8Array();
      expect(await compactIn(disk, CLUSTER, { order })).toMatchObject({ movedClusters: 0, freeClusters: 0 });
      expectSame(memory.toUint8Array(), after, 0);
      await disk.close();
      const again = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { engine, readOnly: true });
      expect((await again.check()).findings).toEqual([]);
      expect(await again.dirtyRanges(again.bitmaps[0].id)).toEqual(dirty);
      expectSame(await readRange(again), before, 0);
    });
  },
);
