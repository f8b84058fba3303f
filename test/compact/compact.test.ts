/** What compacting does, refuses and tells, case by case. */
import { describe, expect, it } from "vitest";
import type { Disk } from "../../src/disk.js";
import { DiskError } from "../../src/errors.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { WatchedStorage } from "../hostile/watched-storage.js";
import { expectSame } from "../model/world.js";
import { type AnyDisk, createDisk, type FaceKind, faces, openDisk, readRange } from "../support/faces.js";
import { fieldOf, makeImage, setEntry } from "../support/image.js";
import { patternBytes } from "../support/random.js";

const CLUSTER = 4096;
const SIZE = 16 * CLUSTER;
const bytesOf = (cluster: number) => patternBytes(cluster, CLUSTER);

/** The guest clusters of a new image, in the order in which they are written, then those that are given up. */
async function imageOf(face: FaceKind, written: readonly number[], discarded: readonly number[] = []) {
  const storage = new WatchedStorage();
  const disk = await createDisk(face, storage, { size: SIZE, clusterSize: CLUSTER });
  for (const cluster of written) await disk.write(bytesOf(cluster), cluster * CLUSTER);
  await disk.flush();
  for (const cluster of discarded) await disk.discard(cluster * CLUSTER, CLUSTER);
  await disk.close();
  return storage.toUint8Array();
}

async function opened(face: FaceKind, image: Uint8Array<ArrayBuffer>, options = {}) {
  const storage = new WatchedStorage(image);
  return { storage, disk: await openDisk(face, storage, options) };
}

/** Where the clusters lie in the file, in the order of the disk. */
async function placesOf(disk: AnyDisk): Promise<number[]> {
  const places: number[] = [];
  for (const { kind, length, fileOffset } of await disk.status())
    if (kind === "data")
      for (let at = 0; at < length; at += CLUSTER) places.push(((fileOffset ?? 0) + at) / CLUSTER - 1);
  return places;
}

describe.each(faces)("compact (%s face)", (face) => {
  it("moves what lies at the end into gaps, its runs kept together, and cuts the file", async () => {
    const { storage, disk } = await opened(face, await imageOf(face, [0, 1, 2, 3, 4, 5, 6, 7], [1, 2]));
    expect(await disk.compact()).toEqual({
      ...{ fileSizeBefore: 9 * CLUSTER, fileSizeAfter: 7 * CLUSTER },
      ...{ zeroClusters: 0, freeClusters: 2, movedClusters: 2 },
    });
    expect(await placesOf(disk)).toEqual([0, 3, 4, 5, 1, 2]);
    expect(storage.size()).toBe(7 * CLUSTER);
    await disk.close();
  });

  it("writes nothing where there is nothing to gain, not even the mark", async () => {
    for (const order of [false, true]) {
      const image = await imageOf(face, [0, 1, 3, 7]);
      const { storage, disk } = await opened(face, image);
      expect(await disk.compact({ order })).toMatchObject({ zeroClusters: 0, freeClusters: 0, movedClusters: 0 });
      await disk.close();
      expect(storage.states).toEqual([]);
    }
  });

  it("reads only, where it is to say what it would gain", async () => {
    const { storage, disk } = await opened(face, await imageOf(face, [3, 1, 2, 0, 5], [2]), { readOnly: true });
    expect(await disk.compact({ dryRun: true })).toMatchObject({ freeClusters: 1, movedClusters: 1 });
    expect(await disk.compact({ dryRun: true, order: true })).toMatchObject({ freeClusters: 1, movedClusters: 3 });
    await disk.close();
    expect(storage.states).toEqual([]);
  });

  it("frees clusters of zeros, but none that hides the base", async () => {
    const base = new MemoryStorage(new Uint8Array(5 * CLUSTER + 1).fill(7));
    const storage = new WatchedStorage();
    const disk = await createDisk(face, storage, { size: SIZE, clusterSize: CLUSTER, base });
    await disk.write(new Uint8Array(8 * CLUSTER), 0);
    const before = await readRange(disk);
    await disk.flush();
    expect(await disk.compact()).toMatchObject({ zeroClusters: 2, movedClusters: 0, fileSizeAfter: 7 * CLUSTER });
    expect(await placesOf(disk)).toEqual([0, 1, 2, 3, 4, 5]);
    expectSame(await readRange(disk), before, 0);
    await disk.close();
  });

  it("cuts what was preallocated, and grows again", async () => {
    const storage = new WatchedStorage();
    const prealloc = { mode: "truncate", size: 8 * CLUSTER } as const;
    const disk = await createDisk(face, storage, { size: SIZE, clusterSize: CLUSTER, prealloc });
    await disk.write(bytesOf(1), CLUSTER);
    expect(storage.size()).toBeGreaterThan(2 * CLUSTER);
    expect(await disk.compact()).toMatchObject({ movedClusters: 0, fileSizeAfter: 2 * CLUSTER });
    expect(storage.size()).toBe(2 * CLUSTER);
    await disk.write(bytesOf(2), 2 * CLUSTER);
    expect(await readRange(disk, CLUSTER, 2 * CLUSTER)).toEqual(new Uint8Array([...bytesOf(1), ...bytesOf(2)]));
    await disk.close();
  });

  it("leaves guest order on request, also where zeros and gaps lay between", async () => {
    const { disk } = await opened(face, await imageOf(face, [9, 2, 7, 0, 5, 4, 3, 1], [7, 4]));
    await disk.writeZeroes(0, 100);
    await disk.write(new Uint8Array(CLUSTER), 2 * CLUSTER);
    const before = await readRange(disk);
    await disk.compact({ order: true });
    expect(await placesOf(disk)).toEqual([0, 1, 2, 3, 4]);
    expect(await disk.check()).toMatchObject({ fragmentedClusters: 0, leaks: 0, corruptions: 0 });
    expectSame(await readRange(disk), before, 0);
    await disk.close();
  });

  it("tells how far it is", async () => {
    const { disk } = await opened(face, await imageOf(face, [0, 1, 2, 3], [0]));
    const told: number[][] = [];
    await disk.compact({ onProgress: (done, total) => told.push([done, total]) });
    expect(told).toEqual([
      [3 * CLUSTER, 3 * CLUSTER],
      [4 * CLUSTER, 4 * CLUSTER],
    ]);
    await disk.close();
  });

  it("is stopped by its signal, and leaves a disk that reads as it did", async () => {
    const image = await imageOf(face, [0, 1, 2, 3, 4], [0]);
    for (const last of [0, 1, 2]) {
      const { storage, disk } = await opened(face, image);
      const before = await readRange(disk);
      const aborter = new AbortController();
      let told = 0;
      const onProgress = () => ++told === last && aborter.abort(new Error("enough"));
      if (last === 0) aborter.abort(new Error("enough"));
      await expect((async () => disk.compact({ onProgress, signal: aborter.signal }))()).rejects.toMatchObject({
        code: "ABORTED",
        cause: new Error("enough"),
      });
      if (last === 0) expect(storage.states).toEqual([]);
      expectSame(await readRange(disk), before, 0);
      await disk.close();
      const again = await openDisk(face, new MemoryStorage(storage.toUint8Array()), { readOnly: true });
      expect((await again.check()).findings).toEqual([]);
      expectSame(await readRange(again), before, 0);
    }
  });

  it("is refused for reading only, and for a disk that was repaired since it was opened", async () => {
    const image = await imageOf(face, [0, 1, 2]);
    const reading = await opened(face, image, { readOnly: true });
    await expect((async () => reading.disk.compact())()).rejects.toMatchObject({ code: "READ_ONLY" });
    const damaged = makeImage({ format: "v2", tracks: 8, hosts: [0, 2, 1] });
    setEntry(damaged, 1, 1000);
    const spoiled = await opened(face, damaged, { readOnly: true });
    await expect((async () => spoiled.disk.compact({ dryRun: true }))()).rejects.toMatchObject({ code: "CORRUPT" });
    const mended = await opened(face, damaged.slice(), { repair: "all" });
    const error = await (async () => mended.disk.compact())().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DiskError);
    expect((error as DiskError).message).toMatch(/repaired .* close it, open it again/);
  });

  it("clears the empty flag before anything else, and cuts what the flag hid", async () => {
    const image = makeImage({ format: "v2", tracks: 8, hosts: [0, 2, 1], header: { flags: 1 } });
    const { storage, disk } = await opened(face, image);
    expect(await disk.compact()).toMatchObject({ fileSizeAfter: CLUSTER });
    await disk.close();
    const file = storage.toUint8Array();
    expect(fieldOf(file, 52)).toBe(0);
    expect(file.length).toBe(CLUSTER);
  });
});

describe("compact beside others", () => {
  it("is one at a time", async () => {
    const { disk } = await opened("async", await imageOf("async", [0, 1, 2, 3], [0]));
    const first = (disk as Disk).compact();
    await expect((disk as Disk).compact({ order: true })).rejects.toMatchObject({ code: "BUSY" });
    await first;
    await disk.close();
  });
});
