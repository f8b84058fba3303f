/** A random guest on real disks: slow ones, ones that answer out of order, ones that fail. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { V86Disk } from "../../src/adapters/v86.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage, StorageSync } from "../../src/storage/storage.js";
import { expectSame } from "../model/world.js";
import { createDisk, type FaceKind, readRange } from "../support/faces.js";
import { below, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { FailingStorage, ShuffledStorage } from "../support/storages.js";
import { Guest } from "./guest.js";

const SIZE = 512 * 1024;
const CLUSTER_SIZE = 16 * 1024;

const settings: { name: string; face: FaceKind; wrap: (storage: StorageSync, random: Random) => Storage }[] = [
  { name: "synchronous disk", face: "sync", wrap: (storage) => storage },
  { name: "asynchronous disk", face: "async", wrap: (storage) => storage },
  {
    name: "disk whose storage answers late and in any order",
    face: "async",
    wrap: (storage, random) => new ShuffledStorage(storage, random),
  },
];

describe.each(settings)("over a $name", ({ face, wrap }) => {
  it("a guest reads what it wrote, however many requests are in flight", async () => {
    const property = fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 60 }), async (seed, count) => {
      const random = randomFrom(seed);
      const storage = new MemoryStorage();
      const disk = await createDisk(face, wrap(storage, random), { size: SIZE, clusterSize: CLUSTER_SIZE });
      const drive = new V86Disk(disk, { flushDelayMilliseconds: Infinity });
      const guest = new Guest(drive, random);
      for (let step = 0; step < count; step++) {
        guest.act();
        if (random() < 0.2) await nextTurn();
        if (random() < 0.05) await drive.flush();
      }
      await drive.quiesce();
      expect(guest.answered).toBe(guest.asked);
      expectSame(await readRange(disk), guest.model, 0);
      await drive.close();
    });
    await fc.assert(property, runs(25));
  });

  it("a guest whose writes fail again and again loses nothing once they are made good", async () => {
    const property = fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 40 }), async (seed, count) => {
      const random = randomFrom(seed);
      const failing = new FailingStorage(new MemoryStorage(), random);
      const disk = await createDisk(face, wrap(failing, random), { size: SIZE, clusterSize: CLUSTER_SIZE });
      const retries: (() => void)[] = [];
      const onerror = ({ retry }: { retry: () => void }) => void retries.push(retry);
      const drive = new V86Disk(disk, { flushDelayMilliseconds: Infinity, onerror });
      const guest = new Guest(drive, random);
      failing.likelihood = 0.3;
      for (let step = 0; step < count; step++) {
        guest.act();
        if (random() < 0.3) await nextTurn();
        if (below(random, 3) === 0) for (const retry of retries.splice(0)) retry();
      }
      failing.likelihood = 0;
      while (drive.inFlight > 0) {
        for (const retry of retries.splice(0)) retry();
        await nextTurn();
      }
      expect(guest.answered).toBe(guest.asked);
      expectSame(await readRange(disk), guest.model, 0);
      await drive.close();
    });
    await fc.assert(property, runs(25));
  });
});

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
