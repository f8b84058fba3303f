import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { createFile, FileStorage } from "../../src/node.js";
import { cached } from "../../src/storage/cached.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { temporaryFolder } from "../support/folder.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { InjectedError, ShortStorage, ShuffledStorage, SpyStorage } from "../support/storages.js";

const KIB = 1024;
const SIZE = 200 * KIB + 321;
const SMALL = { blockSize: 4 * KIB, cacheSize: 64 * KIB, readAhead: 8 * KIB };
const content = patternBytes(1, SIZE);
const path = temporaryFolder();

async function readInto(storage: Storage, buffer: Uint8Array, offset: number): Promise<Uint8Array> {
  let done = 0;
  while (done < buffer.length) {
    const moved = await storage.read(buffer.subarray(done), offset + done);
    if (moved === 0) break;
    done += moved;
  }
  return buffer.subarray(0, done);
}

async function writeAll(storage: Storage, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += await storage.write(bytes.subarray(done), offset + done);
}

const same = (got: Uint8Array, expected: Uint8Array) => Buffer.compare(got, expected) === 0;

/** A storage whose transfers wait until the test lets them go. */
function gated(memory: MemoryStorage) {
  const waiting: (() => void)[] = [];
  const gate = () => new Promise<void>((resolve) => waiting.push(resolve));
  const storage: Storage = {
    async read(buffer, offset) {
      // What it holds now is what it answers with, however late.
      const bytes = new Uint8Array(buffer.length);
      const moved = memory.read(bytes, offset);
      await gate();
      buffer.set(bytes.subarray(0, moved));
      return moved;
    },
    async write(buffer, offset) {
      await gate();
      return memory.write(buffer, offset);
    },
    size: () => memory.size(),
    truncate: (size) => memory.truncate(size),
    flush: () => memory.flush(),
    close: () => memory.close(),
  };
  return { storage, waiting };
}

/** Lets go until nothing waits any more. */
async function letGo(waiting: (() => void)[]): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet++) {
    await turn();
    if (waiting.length > 0) quiet = 0;
    for (const go of waiting.splice(0)) go();
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("A cached storage", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "is the storage to whoever changes and reads it at once, in any order of answers (seed %i)",
    async (seed) => {
      const random = randomFrom(seed);
      const memory = new MemoryStorage(content);
      const beneath = new ShuffledStorage(seed % 2 ? memory : new ShortStorage(memory, randomFrom(seed)), random);
      const storage = cached(beneath, { ...SMALL, cacheSize: (4 + below(random, 20)) * 4 * KIB });
      let model = new Uint8Array(content);
      for (let round = 0; round < 60; round++) {
        model = await playRound(storage, model, random);
        const offset = below(random, model.length + 1);
        const length = below(random, model.length - offset + 1);
        const got = await readInto(storage, new Uint8Array(length), offset);
        expect(same(got, model.subarray(offset, offset + length)), `round ${round}, ${length} bytes at ${offset}`).toBe(
          true,
        );
      }
      expect(await storage.size()).toBe(model.length);
      expect(same(await readInto(storage, new Uint8Array(model.length + 1), 0), model)).toBe(true);
      expect(same(memory.toUint8Array(), model)).toBe(true);
    },
  );

  it("gives a read that begins after a write what was written, though an older read was in flight", async () => {
    const memory = new MemoryStorage(content);
    const { storage: beneath, waiting } = gated(memory);
    const storage = cached(beneath, SMALL);
    const early = readInto(storage, new Uint8Array(100), 0);
    await turn();
    await turn();
    expect(waiting.length).toBe(1);
    const writing = storage.write(new Uint8Array(50).fill(9), 10);
    await turn();
    waiting.splice(1)[0]();
    await writing;
    const late = readInto(storage, new Uint8Array(100), 0);
    await turn();
    while (waiting.length > 0) {
      waiting.shift()!();
      await turn();
    }
    await early;
    const expected = content.slice(0, 100).fill(9, 10, 60);
    expect(same(await late, expected)).toBe(true);
    const again = readInto(storage, new Uint8Array(100), 0);
    await turn();
    expect(waiting.length).toBe(0);
    expect(same(await again, expected)).toBe(true);
  });

  it("never keeps what was read while it was written", async () => {
    const memory = new MemoryStorage(content);
    const { storage: beneath, waiting } = gated(memory);
    const storage = cached(beneath, SMALL);
    // The size has to be known first, or all goes past the cache.
    const knowing = readInto(storage, new Uint8Array(10), 100 * KIB);
    await letGo(waiting);
    await knowing;
    const writing = storage.write(new Uint8Array(50).fill(9), 10);
    const during = readInto(storage, new Uint8Array(100), 0);
    await turn();
    expect(waiting.length).toBe(2);
    waiting.shift()!();
    await writing;
    await letGo(waiting);
    await during;
    const late = readInto(storage, new Uint8Array(100), 0);
    await letGo(waiting);
    expect(same(await late, content.slice(0, 100).fill(9, 10, 60))).toBe(true);
  });

  it("holds what the storage holds after writes over each other, whichever is answered first", async () => {
    const memory = new MemoryStorage(content);
    const answers: (() => void)[] = [];
    const beneath = new AnsweringLate(memory, answers);
    const storage = cached(beneath, SMALL);
    await readInto(storage, new Uint8Array(100), 0);
    const writes = [storage.write(new Uint8Array(50).fill(1), 0), storage.write(new Uint8Array(50).fill(2), 20)];
    for (const answer of answers.toReversed()) {
      answer();
      await turn();
    }
    await Promise.all(writes);
    const got = await readInto(storage, new Uint8Array(100), 0);
    expect(same(got, memory.toUint8Array().subarray(0, 100))).toBe(true);
    expect([got[10], got[30]]).toEqual([1, 2]);
  });

  it("is not led astray by a size that was asked for before a change", async () => {
    const memory = new MemoryStorage(content);
    const sizes: (() => void)[] = [];
    const beneath: Storage = Object.assign(gated(memory).storage, {
      read: (buffer: Uint8Array, offset: number) => memory.read(buffer, offset),
      write: (buffer: Uint8Array, offset: number) => memory.write(buffer, offset),
      size: () => {
        const size = memory.size();
        return new Promise<number>((resolve) => sizes.push(() => resolve(size)));
      },
    });
    const storage = cached(beneath, SMALL);
    const early = storage.read(new Uint8Array(10), 0);
    await storage.write(new Uint8Array(10).fill(9), SIZE);
    await letGo(sizes);
    await early;
    const late = readInto(storage, new Uint8Array(10), SIZE);
    await letGo(sizes);
    expect([...(await late)]).toEqual(Array(10).fill(9));
  });

  it("takes what is written into the blocks that it has, without reading them again", async () => {
    const spy = new SpyStorage(new MemoryStorage(content));
    const storage = cached(spy, SMALL);
    await readInto(storage, new Uint8Array(8 * KIB), 0);
    expect(spy.of("read").length).toBe(1);
    await storage.write(patternBytes(2, 3000), 3000);
    await Promise.all([storage.write(patternBytes(3, 10), 100), storage.write(patternBytes(4, 10), 110)]);
    const expected = content.slice(0, 8 * KIB);
    expected.set(patternBytes(2, 3000), 3000);
    expected.set(patternBytes(3, 10), 100);
    expected.set(patternBytes(4, 10), 110);
    expect(same(await readInto(storage, new Uint8Array(8 * KIB), 0), expected)).toBe(true);
    expect(spy.of("read").length).toBe(1);
    expect(spy.of("write").length).toBe(3);
  });

  it("forgets what a failed write may have changed", async () => {
    const memory = new MemoryStorage(content);
    const storage = cached(new HalfWriting(memory), SMALL);
    await readInto(storage, new Uint8Array(100), 0);
    await expect(storage.write(new Uint8Array(40).fill(9), 0)).rejects.toThrow(InjectedError);
    expect(same(await readInto(storage, new Uint8Array(100), 0), memory.toUint8Array().subarray(0, 100))).toBe(true);
    expect(memory.toUint8Array()[10]).toBe(9);
  });

  it("reads good bytes whose block holds bad ones", async () => {
    const storage = cached(new BadByte(new MemoryStorage(content), 6000), SMALL);
    expect(same(await readInto(storage, new Uint8Array(1000), 4500), content.subarray(4500, 5500))).toBe(true);
    await expect(readInto(storage, new Uint8Array(1000), 5500)).rejects.toThrow(InjectedError);
    expect(same(await readInto(storage, new Uint8Array(1000), 6001), content.subarray(6001, 7001))).toBe(true);
  });

  it("passes everything else on that the storage has, and nothing that it has not", async () => {
    const inner = new KnowingStorage(content);
    const storage = cached(inner, SMALL);
    expect([storage.path, storage.lock, storage.lockFallback]).toEqual(["a name", "file", "no reason"]);
    expect(storage.preallocation).toEqual({ mode: "truncate", size: 5 });
    await storage.write(patternBytes(9, 100), SIZE + 8 * KIB);
    expect(await storage.nextData?.(SIZE)).toEqual({ start: SIZE, end: SIZE + 8 * KIB + 100 });
    expect(await storage.saveBeside?.("backup", new Uint8Array(3))).toBe("a name.backup, 3 bytes");
    await storage.close();
    for (const act of [() => storage.nextData?.(0), () => storage.saveBeside?.("x", new Uint8Array(1))])
      expect(act).toThrow(/a name is closed/);
    const poor = cached(gated(new MemoryStorage()).storage);
    for (const name of ["path", "lock", "lockFallback", "preallocation", "nextData", "saveBeside", "punch", "allocate"])
      expect(name in poor && (poor as never)[name] !== undefined, name).toBe(false);
  });

  it("keeps the backup of a repair beside the file, as the file's own storage does", async () => {
    const disk = await createFile(path("damaged.hds"), { size: 64 * KIB, clusterSize: 4 * KIB });
    await disk.write(patternBytes(1, 100), 0);
    await disk.close();
    const bytes = readFileSync(path("damaged.hds"));
    bytes.writeUInt32LE(1000, 64 + 4 * 5); // far behind the end
    writeFileSync(path("damaged.hds"), bytes);
    const repaired = await Disk.open(cached(await FileStorage.open(path("damaged.hds"))), { repair: "all" });
    const { backup } = repaired.repaired!;
    await repaired.close();
    expect(backup).toBe(path("damaged.hds.backup-1"));
    expect(existsSync(backup as string)).toBe(true);
  });

  it("passes path, rights and abilities on, and says what it did", async () => {
    const plain: Storage = Object.assign(gated(new MemoryStorage()).storage, { path: "a name", readOnly: true });
    expect(cached(plain)).toMatchObject({
      path: "a name",
      readOnly: true,
      statistics: { cacheHits: 0, cacheMisses: 0 },
    });
    expect([cached(plain).punch, cached(plain).allocate]).toEqual([undefined, undefined]);
    const allocated: number[][] = [];
    const able = Object.assign(new MemoryStorage(content), {
      allocate: (...range: number[]) => void allocated.push(range),
    });
    await cached(able).allocate?.(1, 2);
    expect(allocated).toEqual([[1, 2]]);
    expect(cached(able).path).toBe(undefined);
    const spy = new SpyStorage(able);
    await cached(spy).flush();
    expect(spy.of("flush").length).toBe(1);
  });
});

/** Requests at once, none on the bytes of another; reads of bytes that nobody changes must be right. */
async function playRound(
  storage: Storage,
  before: Uint8Array<ArrayBuffer>,
  random: Random,
): Promise<Uint8Array<ArrayBuffer>> {
  const kind = random();
  if (kind < 0.1) {
    const model = resized(before, below(random, SIZE + 20 * KIB));
    await Promise.all([storage.truncate(model.length), readAnything(storage, random)]);
    return model;
  }
  const model = resized(before, kind < 0.3 ? before.length + below(random, 9 * KIB) : before.length);
  const requests: Promise<unknown>[] = [readAnything(storage, random)];
  for (let at = below(random, 9 * KIB); at < model.length; at += below(random, 40 * KIB)) {
    const length = Math.min(1 + below(random, 9 * KIB), model.length - at);
    const choice = random();
    if (choice < 0.4) {
      const bytes = patternBytes(below(random, 1000), length);
      model.set(bytes, at);
      requests.push(writeAll(storage, bytes, at));
    } else if (choice < 0.5 && at + length <= before.length) {
      model.fill(0, at, at + length);
      requests.push(Promise.resolve(storage.punch!(at, length)));
    } else if (at + length <= before.length) {
      const [offset, expected] = [at, before.slice(at, at + length)];
      const check = (got: Uint8Array) => expect(same(got, expected), `${length} bytes at ${offset}`).toBe(true);
      requests.push(readInto(storage, new Uint8Array(length), at).then(check));
    }
    at += length;
  }
  if (model.length > before.length) {
    // Its last byte makes it as long as the model.
    requests.push(writeAll(storage, model.subarray(model.length - 1), model.length - 1));
  }
  await Promise.all(requests);
  return model;
}

async function readAnything(storage: Storage, random: Random): Promise<void> {
  await readInto(storage, new Uint8Array(below(random, 30 * KIB)), below(random, SIZE));
}

function resized(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  return result;
}

/** Has all that a storage may have. */
class KnowingStorage extends MemoryStorage {
  readonly path = "a name";
  readonly lock = "file";
  readonly lockFallback = "no reason";
  readonly preallocation = { mode: "truncate", size: 5 } as const;

  nextData(offset: number) {
    return { start: offset, end: this.size() };
  }

  saveBeside(suffix: string, bytes: Uint8Array): string {
    return `${this.path}.${suffix}, ${bytes.length} bytes`;
  }
}

class HalfWriting extends ShuffledStorage {
  readonly #memory: MemoryStorage;

  constructor(memory: MemoryStorage) {
    super(memory, randomFrom(5));
    this.#memory = memory;
  }

  override async write(buffer: Uint8Array, offset: number): Promise<never> {
    this.#memory.write(buffer.subarray(0, buffer.length / 2), offset);
    throw new InjectedError();
  }
}

/** Writes at once, and says so when it is told to. */
class AnsweringLate extends ShuffledStorage {
  readonly #memory: MemoryStorage;
  readonly #answers: (() => void)[];

  constructor(memory: MemoryStorage, answers: (() => void)[]) {
    super(memory, randomFrom(7));
    this.#memory = memory;
    this.#answers = answers;
  }

  override write(buffer: Uint8Array, offset: number): Promise<number> {
    const moved = this.#memory.write(buffer, offset);
    return new Promise((resolve) => this.#answers.push(() => resolve(moved)));
  }
}

class BadByte extends ShuffledStorage {
  readonly #at: number;

  constructor(memory: MemoryStorage, at: number) {
    super(memory, randomFrom(6));
    this.#at = at;
  }

  override async read(buffer: Uint8Array, offset: number): Promise<number> {
    if (offset <= this.#at && this.#at < offset + buffer.length) throw new InjectedError();
    return super.read(buffer, offset);
  }
}
