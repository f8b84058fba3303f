/** Requests that are half in place and half new: what a process that dies behind them leaves is all of one, or nothing. */
import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { combinations, createDisk, openDisk, readRange } from "../support/faces.js";
import { patternBytes } from "../support/random.js";

const CLUSTER = 4096;
const SIZE = 8 * CLUSTER;

/** Clusters that are allocated before, and a range that is written then. */
const CASES: [before: number[], first: number, last: number][] = [
  [[0], 0, 1],
  [[1], 0, 1],
  [[0, 2], 0, 2],
  [[1, 3], 0, 4],
  [[0, 1, 4, 5], 0, 7],
  [[7], 5, 7],
];

describe.each(combinations)(
  "A write that goes partly in place, partly into new clusters ($face face, $engine engine)",
  ({ face, engine }) => {
    it.each(CASES)("over clusters %j, from %i to %i, shows as a whole or not at all", async (before, first, last) => {
      const storage = new MemoryStorage();
      const disk = await createDisk(face, storage, { size: SIZE, clusterSize: CLUSTER, engine });
      for (const cluster of before) await disk.write(patternBytes(cluster, CLUSTER), cluster * CLUSTER);
      await disk.flush();
      const old = await readRange(disk, 0, SIZE);
      const [offset, end] = [first * CLUSTER + 512, (last + 1) * CLUSTER - 512];
      await disk.write(patternBytes(99, end - offset), offset);
      const now = await readRange(disk, 0, SIZE);
      const left = await openDisk(face, new MemoryStorage(storage.toUint8Array()), { readOnly: true, engine });
      const found = await readRange(left, 0, SIZE);
      expect([old, now].some((version) => Buffer.compare(version, found) === 0)).toBe(true);
      await left.close();
      await disk.close();
    });
  },
);
