/**
 * What every storage must do, and what a disk must do on it. The cases need no test runner and nothing of Node: they
 * are registered by storage.test.ts, and run in a browser by whoever bundles them.
 */

import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { createDisk, type FaceKind, openDisk, readRange } from "../support/faces.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { equal, ok, same, throws } from "./judge.js";

/** A kind of storage under test. */
export interface StorageKit {
  name: string;
  /** The faces that a disk on it can have. */
  faces: readonly FaceKind[];
  /** Where bytes cannot be changed: only reading is tested. */
  readOnly?: boolean;
  /** Each flush costs so much that disks on it are left to CI. */
  slow?: boolean;
  /** A storage that holds these bytes; whatever an earlier one held is gone. */
  make(content: Uint8Array): Storage | Promise<Storage>;
  /** Opens again what the last storage, which was closed, left behind. */
  reopen(): Storage | Promise<Storage>;
}

export interface Case<Arguments extends unknown[]> {
  title: string;
  /** It changes the storage. */
  writes: boolean;
  run(...kit: Arguments): Promise<void>;
}

const SIZE = 10_000;
const content = patternBytes(1, SIZE);

/** The storage's own contract (src/storage/storage.ts). */
export const storageCases: Case<[StorageKit]>[] = [
  {
    title: "reads what it holds, at every offset and length",
    writes: false,
    async run(kit) {
      const storage = await kit.make(content);
      for (const [offset, length] of [
        [0, SIZE],
        [0, 1],
        [1, 1],
        [511, 514],
        [SIZE - 1, 1],
        [4096, 0],
        [3, 8192],
      ]) {
        same(await readAll(storage, offset!, length!), content.subarray(offset, offset! + length!));
      }
      await storage.close();
    },
  },
  {
    title: "reads nothing at and past its end, and not more than there is before it",
    writes: false,
    async run(kit) {
      const storage = await kit.make(content);
      for (const offset of [SIZE, SIZE + 1, 2 ** 40]) equal(await storage.read(new Uint8Array(10), offset), 0);
      const buffer = new Uint8Array(100);
      equal(await readInto(storage, buffer, SIZE - 30), 30);
      same(buffer.subarray(0, 30), content.subarray(SIZE - 30));
      same(buffer.subarray(30), new Uint8Array(70));
      await storage.close();
    },
  },
  {
    title: "touches no byte beside the buffer that it was given",
    writes: false,
    async run(kit) {
      const storage = await kit.make(content);
      const memory = new Uint8Array(300).fill(7);
      equal(await readInto(storage, memory.subarray(100, 200), 50), 100);
      same(memory.subarray(100, 200), content.subarray(50, 150));
      ok(
        [...memory.subarray(0, 100), ...memory.subarray(200)].every((byte) => byte === 7),
        "a byte beside changed",
      );
      await storage.close();
    },
  },
  {
    title: "knows its size",
    writes: false,
    async run(kit) {
      for (const size of [0, 1, SIZE]) {
        const storage = await kit.make(content.subarray(0, size));
        equal(await storage.size(), size);
        await storage.close();
      }
    },
  },
  {
    title: "serves many reads at once",
    writes: false,
    async run(kit) {
      const storage = await kit.make(content);
      const reads = Array.from({ length: 64 }, (_, index) => readAll(storage, index * 100, 300));
      for (const [index, bytes] of (await Promise.all(reads)).entries())
        same(bytes, content.subarray(index * 100, index * 100 + 300));
      await storage.close();
    },
  },
  {
    title: "throws when it is used after it was closed",
    writes: false,
    async run(kit) {
      const storage = await kit.make(content);
      await storage.close();
      await throws(() => storage.read(new Uint8Array(1), 0));
      await throws(() => storage.size());
      if (kit.readOnly) return;
      await throws(() => storage.write(new Uint8Array(1), 0));
      await throws(() => storage.truncate(0));
      await throws(() => storage.flush());
    },
  },
  {
    title: "says so where it cannot be written, and refuses",
    writes: false,
    async run(kit) {
      const storage = await kit.make(content);
      equal(storage.readOnly ?? false, kit.readOnly ?? false);
      if (kit.readOnly) {
        await throws(() => storage.write(new Uint8Array(1), 0));
        await throws(() => storage.truncate(0));
        same(await readAll(storage, 0, SIZE), content);
      }
      await storage.close();
    },
  },
  {
    title: "keeps what is written, and grows for it; gaps read as zeros",
    writes: true,
    async run(kit) {
      const storage = await kit.make(content);
      const bytes = patternBytes(2, 777);
      await writeAll(storage, bytes, 99);
      same(await readAll(storage, 99, 777), bytes);
      same(await readAll(storage, 0, 99), content.subarray(0, 99));
      await writeAll(storage, bytes, SIZE - 7);
      equal(await storage.size(), SIZE + 770);
      await writeAll(storage, bytes, 20_000);
      equal(await storage.size(), 20_777);
      same(await readAll(storage, SIZE + 770, 20_000 - SIZE - 770), new Uint8Array(20_000 - SIZE - 770));
      await storage.close();
    },
  },
  {
    title: "does not change a buffer that is written, and does not keep it",
    writes: true,
    async run(kit) {
      const storage = await kit.make(new Uint8Array(0));
      const bytes = patternBytes(3, 500);
      await writeAll(storage, bytes, 0);
      same(bytes, patternBytes(3, 500));
      bytes.fill(0);
      same(await readAll(storage, 0, 500), patternBytes(3, 500));
      await storage.close();
    },
  },
  {
    title: "serves many writes at once",
    writes: true,
    async run(kit) {
      const storage = await kit.make(new Uint8Array(0));
      await Promise.all(
        Array.from({ length: 64 }, (_, index) => writeAll(storage, patternBytes(index, 100), index * 100)),
      );
      equal(await storage.size(), 6400);
      for (let index = 0; index < 64; index++) same(await readAll(storage, index * 100, 100), patternBytes(index, 100));
      await storage.close();
    },
  },
  {
    title: "is cut and lengthened to any size; what comes back is zeros, not what was there",
    writes: true,
    async run(kit) {
      const storage = await kit.make(content);
      await storage.truncate(5001);
      equal(await storage.size(), 5001);
      equal(await storage.read(new Uint8Array(10), 5001), 0);
      await storage.truncate(9000);
      equal(await storage.size(), 9000);
      same(await readAll(storage, 0, 5001), content.subarray(0, 5001));
      same(await readAll(storage, 5001, 3999), new Uint8Array(3999));
      await storage.truncate(0);
      equal(await storage.size(), 0);
      await writeAll(storage, content.subarray(0, 10), 4000);
      same(await readAll(storage, 0, 4000), new Uint8Array(4000));
      await storage.close();
    },
  },
  {
    title: "gives it all back after a flush, a close and another opening",
    writes: true,
    async run(kit) {
      const storage = await kit.make(content);
      await writeAll(storage, patternBytes(4, 3000), 9000);
      await storage.flush();
      await storage.close();
      const again = await kit.reopen();
      equal(await again.size(), 12_000);
      same(await readAll(again, 0, 9000), content.subarray(0, 9000));
      same(await readAll(again, 9000, 3000), patternBytes(4, 3000));
      await again.close();
    },
  },
  {
    title: "punches holes that read as zeros, where it can, and keeps its size",
    writes: true,
    async run(kit) {
      const storage = await kit.make(content);
      if (storage.punch !== undefined && (await supports(() => storage.punch!(1000, 4096)))) {
        await storage.punch(SIZE - 10, 1000);
        const expected = content
          .slice()
          .fill(0, 1000, 5096)
          .fill(0, SIZE - 10);
        equal(await storage.size(), SIZE);
        same(await readAll(storage, 0, SIZE), expected);
      }
      await storage.close();
    },
  },
  {
    title: "allocates room, where it can, without changing a byte",
    writes: true,
    async run(kit) {
      const storage = await kit.make(content);
      if (storage.allocate !== undefined && (await supports(() => storage.allocate!(5000, 20_000)))) {
        equal(await storage.size(), 25_000);
        same(await readAll(storage, 0, SIZE), content);
        same(await readAll(storage, SIZE, 15_000), new Uint8Array(15_000));
        await storage.allocate(0, 100);
        equal(await storage.size(), 25_000);
      }
      await storage.close();
    },
  },
];

/** A disk on the storage, by either face and engine. */
export const diskCases: Case<[StorageKit, FaceKind, EngineKind]>[] = [
  {
    title: "reads an image that lies there",
    writes: false,
    async run(kit, face, engine) {
      const memory = new MemoryStorage();
      const made = await createDisk("sync", memory, { size: 300_000 - (300_000 % 512), clusterSize: 4096, engine });
      const expected = new Uint8Array(made.size);
      for (const [tag, offset] of [5000, 4096, 150_000, 290_001].entries()) {
        const bytes = patternBytes(tag, 6000);
        await made.write(bytes, offset);
        expected.set(bytes, offset);
      }
      await made.close();
      const disk = await openDisk(face, await kit.make(memory.toUint8Array()), { engine, readOnly: true });
      same(await readRange(disk), expected);
      equal(disk.info.engine, engine);
      equal((await disk.check()).findings.length, 0);
      await disk.close();
    },
  },
  {
    title: "reads and writes as a byte array does, and finds it again",
    writes: true,
    async run(kit, face, engine) {
      for (const [index, clusterSize] of [512, 4096, 63 * 512, 64 * 1024].entries()) {
        const format = index % 2 === 0 ? "v1" : "v2";
        await runScript(kit, face, engine, { format, clusterSize, size: 11 * clusterSize - 512 * (index % 2) });
      }
    },
  },
  {
    title: "has nothing to find after a clean close, though clusters between used ones were discarded",
    writes: true,
    async run(kit, face, engine) {
      const disk = await createDisk(face, await kit.make(new Uint8Array()), {
        size: 64 * 1024,
        clusterSize: 1024,
        engine,
      });
      await disk.write(patternBytes(3, 64 * 1024), 0);
      await disk.flush();
      await disk.discard(5 * 1024, 20 * 1024);
      await disk.flush();
      await disk.discard(40 * 1024 + 7, 9 * 1024);
      await disk.close();
      const again = await openDisk(face, await kit.reopen(), { engine });
      equal((await again.check()).findings.length, 0);
      same(await readRange(again, 0, 5 * 1024), patternBytes(3, 64 * 1024).subarray(0, 5 * 1024));
      same(await readRange(again, 5 * 1024, 20 * 1024), new Uint8Array(20 * 1024));
      await again.close();
    },
  },
  {
    title: "that was not closed is taken over with all that was flushed",
    writes: true,
    async run(kit, face, engine) {
      const disk = await createDisk(face, await kit.make(content), { size: 100 * 512, clusterSize: 1024, engine });
      await disk.write(patternBytes(9, 5000), 1000);
      await disk.flush();
      await disk.abandon();
      const again = await openDisk(face, await kit.reopen(), { engine });
      equal(again.info.unclean, true);
      same(await readRange(again, 1000, 5000), patternBytes(9, 5000));
      await again.write(patternBytes(8, 5000), 20_000);
      same(await readRange(again, 1000, 5000), patternBytes(9, 5000));
      await again.close();
      const clean = await openDisk(face, await kit.reopen(), { engine });
      equal(clean.info.findings.length, 0);
      await clean.close();
    },
  },
];

interface Shape {
  format: "v1" | "v2";
  clusterSize: number;
  size: number;
}

/** A hundred operations that follow from a seed, the disk opened anew twice among them. */
async function runScript(kit: StorageKit, face: FaceKind, engine: EngineKind, shape: Shape): Promise<void> {
  const random = randomFrom(shape.clusterSize);
  const expected = new Uint8Array(shape.size);
  let disk = await createDisk(face, await kit.make(content), { ...shape, engine });
  for (let step = 0; step < 100; step++) {
    const offset = below(random, shape.size);
    const length = below(random, Math.min(shape.size - offset, 3 * shape.clusterSize));
    if (step % 7 === 3) {
      await disk.discard(offset, length);
      expected.fill(0, offset, offset + length);
    } else {
      const bytes = patternBytes(step, length);
      await disk.write(bytes, offset);
      expected.set(bytes, offset);
    }
    same(await readRange(disk), expected);
    if (step % 20 === 9) await disk.flush();
    if (step % 40 !== 39) continue;
    await disk.close();
    disk = await openDisk(face, await kit.reopen(), { engine });
    same(await readRange(disk), expected);
    equal(disk.info.findings.length, 0);
  }
  await disk.close();
}

/** Reads until the buffer is full or the storage ends; answers how many bytes there were. */
async function readInto(storage: Storage, buffer: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const moved = await storage.read(buffer.subarray(done), offset + done);
    ok(moved >= 0 && moved <= buffer.length - done, `read answered ${moved}`);
    if (moved === 0) break;
    done += moved;
  }
  return done;
}

async function readAll(storage: Storage, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length).fill(0x5a);
  equal(await readInto(storage, buffer, offset), length);
  return buffer;
}

/** Whether the platform does what a storage offers: where it cannot, it has to say so. */
async function supports(request: () => void | Promise<void>): Promise<boolean> {
  try {
    await request();
    return true;
  } catch (error) {
    if (error instanceof DiskError && error.code === "UNSUPPORTED") return false;
    throw error;
  }
}

async function writeAll(storage: Storage, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const moved = await storage.write(bytes.subarray(done), offset + done);
    ok(moved >= 1 && moved <= bytes.length - done, `write answered ${moved}`);
    done += moved;
  }
}
