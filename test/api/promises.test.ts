/** One place says what a promise is: the synchronous face takes none for an answer, the asynchronous one waits for any. */
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { createDiskFile, SyncDisk } from "../../src/adapters/sync-disk.js";
import { V86Disk } from "../../src/adapters/v86.js";
import { Disk } from "../../src/disk.js";
import { DiskSync } from "../../src/disk-sync.js";
import { BlobStorage } from "../../src/storage/blob.js";
import { cached } from "../../src/storage/cached.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage, StorageSync } from "../../src/storage/storage.js";
import { engines } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { PassingStorage, SpyStorage } from "../support/storages.js";

const CLUSTER = 4096;
const SIZE = 8 * CLUSTER;

/** Ways to answer later; what is answered is there only then. */
type Later = <T>(act: () => T) => PromiseLike<T>;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const foreign = runInNewContext("(start, act) => new Promise((resolve) => start(resolve)).then(act)") as (
  start: (then: () => void) => void,
  act: () => unknown,
) => PromiseLike<never>;
/** Not a promise, but it has what a promise has. */
function thenable<T>(object: object, act: () => T): PromiseLike<T> {
  const value: PromiseLike<T>["then"] = (done, failed) => turn().then(act).then(done, failed);
  // biome-ignore lint/suspicious/noThenProperty: it is to be one
  return Object.defineProperty(object, "then", { value }) as PromiseLike<T>;
}
const ways: Record<string, Later> = {
  "a promise": (act) => turn().then(act),
  "a promise of another realm": (act) => foreign((resolve) => setImmediate(resolve), act),
  "a thenable": (act) => thenable({}, act),
  "a thenable function": (act) => thenable(() => {}, act),
  "a promise that rejects": () => Promise.reject(new Error("nobody waits for this")),
};
const delays = Object.entries(ways).map(([name, later]) => ({ name, later }));

const VERBS = ["read", "write", "size", "truncate", "flush", "close", "punch", "allocate"] as const;
type Verb = (typeof VERBS)[number];

/** A storage of which some verbs answer later, once `late` has them. */
class LateStorage extends SpyStorage {
  readonly memory: MemoryStorage;
  readonly late = new Set<Verb>();

  constructor(memory: MemoryStorage, later: Later, late: readonly Verb[] = []) {
    super(memory);
    this.memory = memory;
    for (const verb of late) this.late.add(verb);
    for (const verb of VERBS) {
      const now = verb === "allocate" ? () => {} : (this[verb] as (...given: unknown[]) => unknown).bind(this);
      const answer = (...given: unknown[]) => (this.late.has(verb) ? later(() => now(...given)) : now(...given));
      Object.defineProperty(this, verb, { value: answer });
    }
  }
}

function imageBytes(): Uint8Array {
  const memory = new MemoryStorage();
  const disk = DiskSync.create(memory, { size: SIZE, clusterSize: CLUSTER });
  disk.write(patternBytes(1, 2 * CLUSTER), 0);
  disk.close();
  return memory.toUint8Array();
}

const refusal = /^storage, base: expected answers at once, got a promise: DiskSync .*; use Disk for others$/;

function expectRefused(act: () => unknown): void {
  let error: unknown;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TypeError);
  expect((error as Error).message).toMatch(refusal);
}

describe("DiskSync refuses", () => {
  const asynchronous: [string, () => Storage][] = [
    ["a BlobStorage", () => new BlobStorage(new Blob([imageBytes() as Uint8Array<ArrayBuffer>]))],
    ["a cached storage", () => cached(new MemoryStorage(imageBytes()))],
    ...delays.map(({ name, later }): [string, () => Storage] => [
      `a storage that answers ${name}`,
      () => new LateStorage(new MemoryStorage(imageBytes()), later, VERBS),
    ]),
    [
      "an access handle of a Safari before 16.4",
      () => new LateStorage(new MemoryStorage(imageBytes()), ways["a promise"], ["size", "truncate", "flush", "close"]),
    ],
  ];

  test.each(asynchronous)("%s, as storage or as base, before anything is written", async (_, make) => {
    expectRefused(() => DiskSync.open(make() as StorageSync, { readOnly: true }));
    const content = patternBytes(9, 1000);
    const kept = new MemoryStorage(content);
    for (const act of [
      () => DiskSync.create(kept, { size: SIZE, clusterSize: CLUSTER, base: make() as StorageSync }),
      () => DiskSync.create(make() as StorageSync, { size: SIZE, clusterSize: CLUSTER }),
      () => DiskSync.undoRepair(make() as StorageSync, new Uint8Array(64)),
      () => DiskSync.open(new MemoryStorage(imageBytes()), { base: make() as StorageSync }),
    ]) {
      const storage = make();
      if (storage.readOnly) continue;
      expectRefused(act);
    }
    expect(kept.toUint8Array()).toEqual(content);
    await turn(); // what it rejects with then is nobody's: an unhandled rejection would fail the run
  });

  test("a disk that answers with promises as its base", async () => {
    const base = await Disk.open(new MemoryStorage(imageBytes()), { readOnly: true });
    const kept = new MemoryStorage(patternBytes(9, 1000));
    expectRefused(() => DiskSync.create(kept, { size: SIZE, base: base as unknown as DiskSync }));
    expectRefused(() => DiskSync.open(new MemoryStorage(imageBytes()), { base: base as unknown as DiskSync }));
    expect(kept.toUint8Array()).toEqual(patternBytes(9, 1000));
    await base.close();
  });

  test.each(delays)("a creation over a storage that answers $name: what is there stays", async ({ later }) => {
    for (const late of [["size"], ["read"]] as Verb[][]) {
      const storage = new LateStorage(new MemoryStorage(imageBytes()), later, late);
      expectRefused(() => DiskSync.create(storage, { size: SIZE }));
      expect(storage.transfers.filter(({ verb }) => verb !== "read" && verb !== "close")).toEqual([]);
    }
    await turn();
  });

  test.each(delays)(
    "$name that comes from a storage which had answered at once: nothing counts as done",
    async ({ later }) => {
      const requests: [Verb, (disk: DiskSync) => void][] = [
        ["read", (disk) => disk.read(new Uint8Array(100), 0)],
        ["read", (disk) => disk.read(new Uint8Array(6 * CLUSTER), 0)],
        ["write", (disk) => disk.write(new Uint8Array(100), 0)],
        ["write", (disk) => disk.write(new Uint8Array(100), 3 * CLUSTER)],
        ["truncate", (disk) => disk.write(new Uint8Array(100), 3 * CLUSTER)],
        ["allocate", (disk) => disk.write(new Uint8Array(100), 3 * CLUSTER)],
        ["flush", (disk) => disk.flush()],
        ["punch", (disk) => disk.flush()],
        ["flush", (disk) => disk.close()],
      ];
      for (const [verb, act] of requests) {
        const storage = new LateStorage(new MemoryStorage(imageBytes()), later);
        const mode = verb === "allocate" ? "falloc" : "off";
        const disk = DiskSync.open(storage, { prealloc: { mode, size: 0 } });
        disk.write(patternBytes(5, 100), 100);
        disk.write(patternBytes(6, CLUSTER), 5 * CLUSTER);
        if (verb !== "flush" && verb !== "punch") disk.flush(); // else what is written next waits in memory
        if (verb === "punch") disk.discard(5 * CLUSTER, CLUSTER);
        if (verb === "write") disk.flush(); // nothing waits that a write in place would have to wait for, too
        const allocated = disk.allocatedBytes;
        storage.late.add(verb);
        expectRefused(() => act(disk));
        expect(disk.allocatedBytes).toBe(allocated);
        storage.late.clear();
        disk.abandon();
      }
      await turn();
    },
  );
});

describe.each(engines)("An asynchronous disk (%s engine)", (engine) => {
  test.each(delays.slice(0, 4))("waits for $name of its storage and of its base", async ({ later }) => {
    const beneath = patternBytes(3, SIZE);
    const disks: ((buffer: Uint8Array, offset: number) => PromiseLike<void>)[] = [
      (buffer, offset) => later(() => buffer.set(beneath.subarray(offset, offset + buffer.length))),
    ];
    const bases = [
      new LateStorage(new MemoryStorage(beneath), later, VERBS),
      { size: SIZE, read: disks[0] as unknown as (buffer: Uint8Array, offset: number) => Promise<void> },
    ];
    for (const base of bases) {
      const storage = new LateStorage(new MemoryStorage(), later, VERBS);
      const disk = await Disk.create(storage, { size: SIZE, clusterSize: CLUSTER, engine, base });
      const expected = beneath.slice();
      for (let at = 0; at < 8; at++) {
        const bytes = patternBytes(at + 10, 100);
        await disk.write(bytes, at * CLUSTER + 7 * at);
        expected.set(bytes, at * CLUSTER + 7 * at);
      }
      const all = new Uint8Array(SIZE);
      await disk.read(all, 0);
      expect(Buffer.compare(all, expected)).toBe(0);
      await disk.close();
    }
  });
});

describe("Adapters", () => {
  test.each(delays.slice(0, 4))("for synchronous emulators refuse a disk that answers $name", async ({ later }) => {
    const disk = { size: SIZE, read: () => later(() => {}), path: "x" } as unknown as DiskSync;
    const message = /^disk: expected a DiskSync, got a disk that answers with promises/;
    expect(() => new SyncDisk(disk)).toThrow(message);
    expect(() => createDiskFile({} as never, "/disk.img", disk)).toThrow(message);
  });

  test.each(delays.slice(0, 4))(
    "for v86 tell the guest of a request only when $name has come true",
    async ({ later }) => {
      const memory = new MemoryStorage(new Uint8Array(SIZE));
      const disk = {
        size: SIZE,
        read: (buffer: Uint8Array, offset: number) => later(() => void memory.read(buffer, offset)),
        write: (buffer: Uint8Array, offset: number) => later(() => void memory.write(buffer, offset)),
        flush: () => {},
        close: () => {},
      };
      const drive = new V86Disk(disk as unknown as Disk, { flushDelayMilliseconds: Infinity });
      const bytes = Buffer.from(patternBytes(4, 512));
      await new Promise<void>((resolve) => {
        drive.set(1024, bytes, () => {
          expect(memory.toUint8Array().subarray(1024, 1536)).toEqual(patternBytes(4, 512));
          resolve();
        });
        bytes.fill(0); // it was copied, Buffer of Node or not
      });
      const read = await new Promise<Uint8Array>((resolve) => drive.get(1024, 512, resolve));
      expect(read).toEqual(patternBytes(4, 512));
    },
  );
});

describe("A MemoryStorage", () => {
  test("starts with a copy, whatever memory it is given", () => {
    const other = runInNewContext("new ArrayBuffer(8)") as ArrayBuffer;
    const [shared, viewed] = [new SharedArrayBuffer(8), new Uint8Array(new SharedArrayBuffer(8))];
    for (const memory of [new ArrayBuffer(8), other, shared, new Uint8Array(8), Buffer.alloc(8), viewed]) {
      const storage = new MemoryStorage(memory as ArrayBuffer);
      (ArrayBuffer.isView(memory) ? (memory as Uint8Array) : new Uint8Array(memory)).fill(7);
      expect(storage.toUint8Array()).toEqual(new Uint8Array(8));
    }
    for (const wrong of [8, "text", [1], new Uint16Array(2), {}, null])
      expect(() => new MemoryStorage(wrong as unknown as Uint8Array)).toThrow(TypeError);
  });
});

test("PassingStorage stays synchronous", () => {
  expect(DiskSync.create(new PassingStorage(new MemoryStorage()), { size: SIZE }).size).toBe(SIZE);
});
