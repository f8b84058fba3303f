/** Giving a disk up: at once, whatever its storage does, and with one close of the storage. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskSync } from "../../src/disk-sync.js";
import { FileStorage } from "../../src/storage/file.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { engines } from "../support/faces.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { PassingStorage } from "../support/storages.js";
import { settled } from "./settled.js";

const CLUSTER = 4096;
const SIZE = 8 * CLUSTER;

type Verb = "read" | "write" | "flush" | "truncate" | "close";

/** Never answers some requests, until it is told to. */
class StuckStorage implements Storage {
  readonly memory = new MemoryStorage();
  readonly stuck = new Set<Verb>();
  closes = 0;
  /** Requests that came after its close. */
  late: string[] = [];
  #waiting: (() => void)[] = [];
  failing = false;

  read = (buffer: Uint8Array, offset: number) => this.#answer("read", () => this.memory.read(buffer, offset));
  write = (buffer: Uint8Array, offset: number) => this.#answer("write", () => this.memory.write(buffer, offset));
  size = () => this.memory.size();
  truncate = (size: number) => this.#answer("truncate", () => this.memory.truncate(size));
  flush = () => this.#answer("flush", () => {});

  close = () => {
    this.closes++;
    if (this.failing) return Promise.reject(new Error("it does not close"));
    return this.#answer("close", () => {});
  };

  letGo(): void {
    this.stuck.clear();
    for (const go of this.#waiting.splice(0)) go();
  }

  async #answer<T>(verb: Verb, act: () => T): Promise<T> {
    if (this.closes > 0 && verb !== "close") this.late.push(verb);
    if (this.stuck.has(verb)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return act();
  }
}

async function begin(engine: "wasm" | "js") {
  const storage = new StuckStorage();
  const disk = await Disk.create(storage, { size: SIZE, clusterSize: CLUSTER, engine });
  await disk.write(patternBytes(1, 2 * CLUSTER), 0);
  await disk.flush();
  return { storage, disk };
}

const CLOSED = { name: "DiskError", code: "CLOSED" };

describe.each(engines)("Abandoning a disk (%s engine)", (engine) => {
  const stuck: [string, Verb, (disk: Disk) => Promise<unknown>][] = [
    ["a read", "read", (disk) => disk.read(new Uint8Array(10), 0)],
    ["a long read", "read", (disk) => disk.read(new Uint8Array(SIZE), 0)],
    ["a write in place", "write", (disk) => disk.write(new Uint8Array(10), 0)],
    ["a write to a new cluster", "write", (disk) => disk.write(new Uint8Array(10), 5 * CLUSTER)],
    ["growth", "truncate", (disk) => disk.write(new Uint8Array(10), 5 * CLUSTER)],
    ["a flush", "flush", (disk) => disk.flush()],
    ["a close", "flush", (disk) => disk.close()],
    ["the storage's close", "close", (disk) => disk.close()],
  ];

  test.each(stuck)(
    "does not wait for %s that never ends; those in line fail; the storage is closed once",
    async (_, verb, act) => {
      const { storage, disk } = await begin(engine);
      await disk.write(patternBytes(2, 10), 4 * CLUSTER); // something to flush
      storage.stuck.add(verb);
      const first = act(disk);
      first.catch(() => {});
      for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
      const waiting = [
        disk.write(new Uint8Array(SIZE), 0),
        disk.read(new Uint8Array(SIZE), 0),
        disk.discard(0, SIZE),
        disk.check(),
        disk.flush(),
        disk.close(),
      ];
      for (const request of waiting) request.catch(() => {});
      const abandoned = disk.abandon();
      if (verb === "close") storage.letGo(); // its own close is all it waits for
      await settled("abandoning", abandoned);
      await settled("abandoning again", disk.abandon());
      await settled("closing what is closed", disk.close());
      expect(storage.closes).toBe(1);
      if (verb !== "close") {
        // What needed what never came stays with the storage; what was in line has failed.
        const ends = await Promise.all(
          waiting.map((request) =>
            Promise.race([
              request.then(
                () => "done",
                (error) => error.code,
              ),
              nothing(),
            ]),
          ),
        );
        expect(ends.filter((end) => end !== "CLOSED" && end !== "pending")).toEqual([]);
        expect(ends).toContain("CLOSED");
        storage.letGo();
        for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await settled(
        "the stuck request",
        first.catch((error) => expect(error).toMatchObject(CLOSED)),
      );
      for (const request of waiting)
        await settled(
          "what was in line",
          request.catch((error) => expect(error).toMatchObject(CLOSED)),
        );
      expect(storage.late, "requests after its close").toEqual([]);
      await expect(disk.read(new Uint8Array(1), 0)).rejects.toMatchObject(CLOSED);
    },
  );

  test("while it is closed, at any moment, closes the storage once, and makes no request after that", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const { storage, disk } = await begin(engine);
      await disk.write(patternBytes(2, 10), 4 * CLUSTER);
      const closed = disk.close();
      closed.catch(() => {});
      for (let turn = 0; turn < turns; turn++) await undefined;
      await settled("abandon", disk.abandon());
      await settled(
        "close",
        closed.catch((error) => expect(error).toMatchObject(CLOSED)),
      );
      expect([storage.closes, storage.late]).toEqual([1, []]);
    }
  });

  test("whose storage fails to close says so, and can be tried again, like a close", async () => {
    for (const verb of ["abandon", "close"] as const) {
      for (const again of ["abandon", "close"] as const) {
        const { storage, disk } = await begin(engine);
        storage.failing = true;
        await expect(disk[verb]()).rejects.toMatchObject({ code: "IO", cause: { message: "it does not close" } });
        await expect(disk[again]()).rejects.toMatchObject({ code: "IO" });
        storage.failing = false;
        await disk[again]();
        await disk[again]();
        expect(storage.closes).toBe(3);
      }
    }
  });

  test("at the end of its block closes a storage once, also where that fails", async () => {
    const { storage, disk } = await begin(engine);
    storage.failing = true;
    await expect(disk[Symbol.asyncDispose]()).rejects.toMatchObject({ code: "IO" });
    expect(storage.closes).toBe(1);
  });
});

async function nothing(): Promise<string> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  return "pending";
}

describe("A disk that stays open after a close which failed", () => {
  test("goes on, in the synchronous face, too", () => {
    class Closing extends PassingStorage<MemoryStorage> {
      failing = true;
      override close(): void {
        if (this.failing) throw new Error("not yet");
        super.close();
      }
    }
    const memory = new MemoryStorage();
    const storage = new Closing(memory);
    const disk = DiskSync.create(storage, { size: SIZE, clusterSize: CLUSTER });
    disk.write(patternBytes(1, 100), 0);
    expect(() => disk.close()).toThrow("closing failed: not yet");
    disk.write(patternBytes(2, 100), 0);
    storage.failing = false;
    disk.close();
    const again = DiskSync.open(new MemoryStorage(memory.toUint8Array()), { readOnly: true });
    expect(again.info.unclean).toBe(false);
    const bytes = new Uint8Array(100);
    again.read(bytes, 0);
    expect(bytes).toEqual(patternBytes(2, 100));
  });
});

describe("A file that is given up with requests in flight", () => {
  test("keeps its descriptor until they have ended: none of them reaches the next file of that number", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parablock-abandon-"));
    try {
      const random = randomFrom(7);
      for (let round = 0; round < 30; round++) {
        const path = join(folder, `disk-${round}.hds`);
        const storage = await FileStorage.open(path, { create: "new" });
        const disk = await Disk.create(storage, { size: 64 * CLUSTER, clusterSize: CLUSTER });
        await disk.write(new Uint8Array(64 * CLUSTER).fill(1), 0);
        const writes = Array.from({ length: 40 }, () =>
          disk.write(new Uint8Array(CLUSTER).fill(0xee), Math.floor(random() * 63) * CLUSTER).catch(() => {}),
        );
        const abandoned = disk.abandon();
        await expect(storage.read(new Uint8Array(1), 0)).rejects.toMatchObject(CLOSED);
        // Whoever opens a file now may get the number that was given up.
        const others = Array.from({ length: 8 }, (_, index) => join(folder, `other-${round}-${index}`));
        const open: number[] = [];
        for (const other of others) {
          open.push(openSync(other, "w+"));
          await new Promise<void>((resolve) => setImmediate(resolve));
        }
        await abandoned;
        await Promise.all(writes);
        for (const fd of open) closeSync(fd);
        for (const other of others) expect(readFileSync(other).length).toBe(0);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
