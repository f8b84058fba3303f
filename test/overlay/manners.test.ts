/** Commit and rebase beside a guest, with signals, with requests that fail, and with what they refuse. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BlockDevice } from "../../src/device/block-device.js";
import { Disk, DiskError, DiskSync, MemoryStorage, rawDevice } from "../../src/index.js";
import { commitDisk, commitDiskSync, rebaseDisk } from "../../src/overlay.js";
import type { Storage } from "../../src/storage/storage.js";
import { eachFault, FaultyStorage } from "../faults/faulty-storage.js";
import { firstDifference } from "../support/bytes.js";
import { type FaceKind, faces, openDisk, readRange } from "../support/faces.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { runs, thorough } from "../support/runs.js";
import { PassingStorage, ShuffledStorage } from "../support/storages.js";
import { commitAny, contentOf, fitted, Overlays, rebaseAny } from "./world.js";

const CLUSTER = 4096;
const SIZE = 16 * CLUSTER;

/** An overlay of every second cluster over raw bytes. */
async function overlayOver(base: BlockDevice | Storage, storage = new MemoryStorage(), size = SIZE): Promise<Disk> {
  const disk = await Disk.create(storage, { size, clusterSize: CLUSTER, base });
  for (let at = 0; at < size; at += 2 * CLUSTER) await disk.write(patternBytes(at, CLUSTER), at);
  await disk.flush();
  return disk;
}

/** Says when it has got so many requests, once the overlay is made. */
class Stopping extends PassingStorage {
  #left: number;
  readonly #stop: () => void;

  constructor(inner: MemoryStorage, after: number, stop: () => void) {
    super(inner);
    this.#left = after;
    this.#stop = stop;
  }

  override read(buffer: Uint8Array, offset: number): number {
    this.#count();
    return super.read(buffer, offset);
  }

  override write(buffer: Uint8Array, offset: number): number {
    this.#count();
    return super.write(buffer, offset);
  }

  #count(): void {
    if (this.#left-- === 0) this.#stop();
  }
}

describe("Beside a guest", () => {
  test("that reads and writes, the disk never differs from a plain byte array", async () => {
    const property = fc.asyncProperty(fc.nat(), fc.constantFrom("commit", "keep", "rebase"), async (seed, verb) => {
      const random = randomFrom(seed);
      const world = new Overlays("async", "js", random);
      const size = world.size();
      const [below_, other] = [world.bytes(world.size(30)), world.bytes(world.size())];
      const later = (bytes: Uint8Array) => rawDevice(new ShuffledStorage(new MemoryStorage(bytes), random));
      const base = await later(below_);
      const top = (await world.disk(size, base, new ShuffledStorage(new MemoryStorage(), random))) as Disk;
      const model = fitted(below_, size);
      await world.scribble(top, model, below(random, 8));
      let over = false;
      const work = verb === "rebase" ? rebaseDisk(top, await later(other)) : commitDisk(top, { keep: verb === "keep" });
      const ended = work.finally(() => {
        over = true;
      });
      for (let step = 0; step < 30 || !over; step++) {
        if (random() < 0.4) await clearBehind(top, model, below_.length);
        else await world.scribble(top, model, 1);
        expect(firstDifference(await readRange(top), model)).toBe(-1);
      }
      await ended;
      expect(firstDifference(await readRange(top), model)).toBe(-1);
    });
    await fc.assert(property, runs(150, 25));

    /** Clears what lies behind the base, which frees clusters. */
    async function clearBehind(top: Disk, model: Uint8Array, from: number): Promise<void> {
      if (from >= top.size) return;
      await top.writeZeroes(from, top.size - from);
      model.fill(0, from);
    }
  });

  test("that frees clusters behind the old base, a rebase shows nothing of the new one there", async () => {
    const old = await rawDevice(new MemoryStorage(patternBytes(1, 2 * CLUSTER)));
    const to = new MemoryStorage(patternBytes(2, SIZE));
    let meanwhile: (() => Promise<void>) | undefined;
    const top = await overlayOver({
      ...old,
      size: 2 * CLUSTER,
      async read(buffer, offset) {
        const act = meanwhile;
        meanwhile = undefined;
        await act?.();
        await old.read(buffer, offset);
      },
    });
    await top.writeZeroes(2 * CLUSTER, CLUSTER);
    const content = (await readRange(top)).fill(0, 10 * CLUSTER, 11 * CLUSTER);
    meanwhile = () => top.writeZeroes(10 * CLUSTER, CLUSTER);
    await rebaseDisk(top, to);
    expect(meanwhile).toBeUndefined();
    expect(firstDifference(await readRange(top), content)).toBe(-1);
  });

  test("no other commit or rebase runs", async () => {
    const top = await overlayOver(new MemoryStorage(new Uint8Array(SIZE)));
    const running = commitDisk(top);
    await expect(rebaseDisk(top, undefined)).rejects.toMatchObject({ code: "BUSY" });
    await expect(commitDisk(top)).rejects.toMatchObject({ code: "BUSY" });
    await running;
    await commitDisk(top);
  });

  test("that abandons the disk it ends", async () => {
    const top = await overlayOver(await rawDevice(new MemoryStorage(new Uint8Array(SIZE))));
    const running = commitDisk(top);
    await top.abandon();
    await expect(running).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("A signal", () => {
  test.each(["commit", "rebase"])("ends a %s between pieces, the disk over its base reads as before", async (verb) => {
    let ended = 0;
    for (let after = 0; after < 20; after++) {
      const controller = new AbortController();
      const base = new MemoryStorage(patternBytes(1, SIZE));
      const top = await overlayOver(new Stopping(base, after, () => controller.abort("enough")));
      const content = await readRange(top);
      const signal = controller.signal;
      try {
        await (verb === "commit" ? commitDisk(top, { signal }) : rebaseDisk(top, new MemoryStorage(), { signal }));
      } catch (error) {
        ended++;
        expect(error).toMatchObject({ code: "ABORTED", cause: "enough" });
      }
      expect(firstDifference(await readRange(top), content)).toBe(-1);
      await commitDisk(top); // to whichever base it has now
      expect(firstDifference(await readRange(top), content)).toBe(-1);
      await top.close();
    }
    expect(ended).toBeGreaterThan(5);
  });
});

describe.each(thorough ? faces : faces.slice(0, 1))("Where a request of a file fails (%s face)", (face: FaceKind) => {
  test.each(["top", "base"])(
    "of the %s, a commit says so, and the overlay over its base reads as before",
    async (which) => {
      const storage = new MemoryStorage();
      const first = await overlayOver(new MemoryStorage(patternBytes(1, 9 * CLUSTER)), storage);
      const content = await readRange(first);
      await first.close();
      const struck = await eachFault(async (kind, at) => {
        const files = { top: storage.toUint8Array(), base: patternBytes(1, 9 * CLUSTER) };
        const top = new FaultyStorage(new MemoryStorage(files.top));
        const base = new FaultyStorage(new MemoryStorage(files.base));
        const disk = await openDisk(face, top, { base });
        const faulty = which === "top" ? top : base;
        faulty.arm(kind, at);
        let failure: unknown;
        try {
          await commitAny(face, disk);
        } catch (error) {
          failure = error;
        }
        faulty.disarm();
        if (failure !== undefined) expect(failure).toBeInstanceOf(DiskError);
        else expect(firstDifference(await contentOf(base.memory), content)).toBe(-1);
        const again = await openDisk(face, new MemoryStorage(top.memory.toUint8Array()), { base: base.memory });
        expect(firstDifference(await readRange(again), content)).toBe(-1);
        await commitAny(face, again);
        expect(firstDifference(await contentOf(base.memory), content)).toBe(-1);
        return faulty.struck !== undefined;
      });
      expect(struck).toBeGreaterThan(10);
    },
  );

  test("a rebase says so, and the overlay over its old base reads as before", async () => {
    const storage = new MemoryStorage();
    const first = await overlayOver(new MemoryStorage(patternBytes(1, SIZE)), storage);
    const content = await readRange(first);
    await first.close();
    const struck = await eachFault(async (kind, at) => {
      const top = new FaultyStorage(new MemoryStorage(storage.toUint8Array()));
      const base = new MemoryStorage(patternBytes(1, SIZE));
      const disk = await openDisk(face, top, { base });
      top.arm(kind, at);
      let failed = false;
      try {
        await rebaseAny(face, disk, new MemoryStorage(patternBytes(2, 9 * CLUSTER)));
      } catch (error) {
        failed = true;
        expect(error).toBeInstanceOf(DiskError);
      }
      top.disarm();
      const after = top.memory.toUint8Array();
      const again = await openDisk(face, new MemoryStorage(after), { base });
      expect(firstDifference(await readRange(again), content)).toBe(-1);
      if (!failed) {
        const over = await openDisk(face, new MemoryStorage(after), {
          base: new MemoryStorage(patternBytes(2, 9 * CLUSTER)),
        });
        expect(firstDifference(await readRange(over), content)).toBe(-1);
      }
      return top.struck !== undefined;
    });
    expect(struck).toBeGreaterThan(10);
  });
});

describe("What is refused", () => {
  test("is what is no overlay, no base, no option", async () => {
    const alone = await Disk.create(new MemoryStorage(), { size: SIZE });
    await expect(commitDisk(alone)).rejects.toThrow(/^overlay: expected a disk that was opened with a base/);
    await expect(commitDisk({} as Disk)).rejects.toThrow(/^overlay: expected an open Disk, got/);
    await expect(rebaseDisk(alone, 5 as never)).rejects.toThrow(/^to: expected an open disk/);
    await expect(rebaseDisk(alone, alone)).rejects.toThrow(/^to: expected another disk/);
    await expect(rebaseDisk(alone, undefined, { unsave: true } as never)).rejects.toThrow(/did you mean unsafe/);
    await expect(commitDisk(alone, { keep: 1 } as never)).rejects.toThrow(/^keep: expected true or false/);
    await expect(commitDisk(alone, { onProgress: 1 } as never)).rejects.toThrow(/^onProgress: expected a function/);
    expect(() => commitDiskSync(alone as never)).toThrow(/^overlay: expected an open DiskSync/);
    await alone.close();
    await expect(commitDisk(alone)).rejects.toMatchObject({ code: "CLOSED" });
    const { size, read } = await rawDevice(new MemoryStorage(new Uint8Array(SIZE)));
    await expect(commitDisk(await overlayOver({ size, read }))).rejects.toMatchObject({ code: "READ_ONLY" });
    const write = async () => {};
    await expect(commitDisk(await overlayOver({ size, read, write }))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("is data behind the end of a base that cannot grow, before anything is written; zeros there are not", async () => {
    const store = new MemoryStorage();
    const base = await Disk.create(store, { size: 5 * CLUSTER + 512, clusterSize: CLUSTER });
    Object.defineProperty(base, "resize", { value: undefined });
    const top = await overlayOver(base);
    const before = store.toUint8Array();
    await expect(commitDisk(top)).rejects.toThrow(/the base ends at byte 20992 and cannot grow.*from 24576/);
    expect(firstDifference(store.toUint8Array(), before)).toBe(-1);
    await top.write(new Uint8Array(SIZE - 5 * CLUSTER - 512), 5 * CLUSTER + 512);
    const content = await readRange(top);
    await commitDisk(top);
    expect(top.allocatedBytes).toBe(0);
    expect(firstDifference(await readRange(top), content)).toBe(-1);
  });
});

test("Large clusters are compared in pieces, and copied whole; zeros of a base stay holes", async () => {
  const clusterSize = 3 * 2 ** 20;
  const size = 3 * clusterSize;
  const from = new MemoryStorage(new Uint8Array(size).fill(3, clusterSize + 100, clusterSize + 200));
  const to = new MemoryStorage(new Uint8Array(size).fill(4, 2 * clusterSize + 2.5 * 2 ** 20));
  const top = await DiskSync.create(new MemoryStorage(), { size, clusterSize, base: from });
  await rebaseAny("sync", top, to);
  expect(top.allocatedBytes).toBe(2 * clusterSize);
  expect(firstDifference(await readRange(top), from.toUint8Array())).toBe(-1);
});

test("A commit gives zeros to the base as zeros", async () => {
  const base = await Disk.create(new MemoryStorage(), { size: SIZE, clusterSize: CLUSTER });
  await base.write(patternBytes(1, SIZE), 0);
  const top = await overlayOver(base);
  await top.writeZeroes(0, 8 * CLUSTER);
  await commitDisk(top);
  expect(base.allocatedBytes).toBe(8 * CLUSTER);
});
