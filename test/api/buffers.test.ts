/**
 * Buffers that change while a request waits: it is about the bytes that were there when it was made. What grows adds
 * nothing; what was taken away is an error, and nothing further is written.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { cached } from "../../src/storage/cached.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { connectDisk } from "../../src/worker/connect.js";
import { serveDisk } from "../../src/worker/serve.js";
import { combinations, createDisk, engines, openDisk } from "../support/faces.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { LaterStorage, ShuffledStorage } from "../support/storages.js";

const CLUSTER = 4096;
const SIZE = 8 * CLUSTER;

/** Memory that may change its length, in the words of platforms that have it. */
interface Resizable extends ArrayBuffer {
  resize(length: number): void;
}
interface Growable extends SharedArrayBuffer {
  grow(length: number): void;
}

const resizable = (length: number, most = SIZE): Resizable =>
  new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(length, { maxByteLength: most });
const growable = (length: number, most = SIZE): Growable =>
  new (SharedArrayBuffer as unknown as new (length: number, options: object) => Growable)(length, {
    maxByteLength: most,
  });
const transfer = (memory: ArrayBuffer): void => void structuredClone(memory, { transfer: [memory] });

/** Holds back every request until it is let go. */
class HeldStorage extends LaterStorage {
  held: (() => void)[] | undefined;

  hold(): void {
    this.held = [];
  }

  letGo(): void {
    const { held } = this;
    this.held = undefined;
    for (const go of held ?? []) go();
  }

  protected override later<T>(request: () => T): Promise<T> {
    return new Promise<void>((resolve) => (this.held ? this.held.push(resolve) : resolve())).then(request);
  }
}

async function begin(engine: "wasm" | "js", base?: MemoryStorage) {
  const memory = new MemoryStorage();
  const storage = new HeldStorage(memory);
  const disk = await Disk.create(storage, { size: SIZE, clusterSize: CLUSTER, engine, ...(base && { base }) });
  const content = patternBytes(1, SIZE);
  if (!base) await disk.write(content, 0);
  return { storage, disk, content: base ? base.toUint8Array() : content };
}

async function contentOf(disk: Disk): Promise<Uint8Array> {
  const all = new Uint8Array(SIZE);
  await disk.read(all, 0);
  return all;
}

const goneError = expect.objectContaining({
  name: "TypeError",
  message: expect.stringMatching(/^buffer: expected memory that stays until the request ends/),
});

describe.each(engines)("A buffer whose memory changes while its write waits (%s engine)", (engine) => {
  /** A write that waits for another of its cluster; what happens to its memory meanwhile. */
  async function waiting(length: number, offset: number, change: (memory: Resizable) => void) {
    const { storage, disk, content } = await begin(engine);
    storage.hold();
    const first = disk.write(patternBytes(2, 100), offset);
    const memory = resizable(length);
    const view = new Uint8Array(memory);
    view.set(patternBytes(3, length));
    const second = disk.write(view, offset);
    second.catch(() => {});
    change(memory);
    storage.letGo();
    await first;
    content.set(patternBytes(2, 100), offset);
    return { disk, content, second, storage };
  }

  test("and grows is written as it was: nothing behind it is touched, and the disk's end is not passed", async () => {
    for (const offset of [0, 5, SIZE - CLUSTER]) {
      const { disk, content, second } = await waiting(CLUSTER, offset, (memory) => {
        memory.resize(3 * CLUSTER);
        new Uint8Array(memory).fill(0xee, CLUSTER);
      });
      await second;
      content.set(patternBytes(3, CLUSTER), offset);
      expect(Buffer.compare(await contentOf(disk), content)).toBe(0);
      await disk.close();
    }
  });

  test.each([
    ["shrinks", (memory: Resizable) => memory.resize(10)],
    ["is transferred", (memory: Resizable) => transfer(memory)],
  ])("and %s fails that write, and nothing of it is written", async (_, change) => {
    const { disk, content, second } = await waiting(CLUSTER, 0, change);
    await expect(second).rejects.toEqual(goneError);
    expect(Buffer.compare(await contentOf(disk), content)).toBe(0);
    await disk.close();
  });

  test.each([
    ["shrunk", (memory: Resizable) => memory.resize(10)],
    ["transferred", (memory: Resizable) => transfer(memory)],
  ])("and is %s while a new cluster is filled: it is not linked", async (_, change) => {
    const { storage, disk, content } = await begin(engine, new MemoryStorage(patternBytes(8, SIZE)));
    await disk.write(patternBytes(2, 10), 0);
    const expected = content.slice();
    expected.set(patternBytes(2, 10));
    const { allocatedBytes } = disk;
    storage.hold();
    const memory = resizable(2 * CLUSTER);
    const write = disk.write(new Uint8Array(memory), 2 * CLUSTER + 9);
    write.catch(() => {});
    for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    change(memory);
    storage.letGo();
    await expect(write).rejects.toEqual(goneError);
    expect(disk.allocatedBytes).toBe(allocatedBytes);
    expect(Buffer.compare(await contentOf(disk), expected)).toBe(0);
    await disk.close();
  });

  test("and is taken away before a read has filled it fails that read alone", async () => {
    const { storage, disk, content } = await begin(engine);
    for (const length of [100, 3 * CLUSTER]) {
      for (const change of [transfer, (memory: ArrayBuffer) => (memory as Resizable).resize(7)]) {
        storage.hold();
        const memory = resizable(length);
        const read = disk.read(new Uint8Array(memory), 50);
        read.catch(() => {});
        change(memory);
        storage.letGo();
        await expect(read).rejects.toThrow(TypeError);
      }
    }
    expect(Buffer.compare(await contentOf(disk), content)).toBe(0);
    await disk.close();
  });

  test("and grows before a read has filled it is filled as far as it was", async () => {
    const { storage, disk, content } = await begin(engine);
    for (const length of [100, 3 * CLUSTER]) {
      storage.hold();
      const memory = resizable(length);
      const read = disk.read(new Uint8Array(memory), 50);
      memory.resize(length + CLUSTER);
      storage.letGo();
      await read;
      const filled = new Uint8Array(length + CLUSTER);
      filled.set(content.subarray(50, 50 + length));
      expect(Buffer.compare(new Uint8Array(memory), filled)).toBe(0);
    }
    await disk.close();
  });
});

describe.each(combinations)("A buffer ($face face, $engine engine)", ({ face, engine }) => {
  const make = async () => createDisk(face, new MemoryStorage(), { size: SIZE, clusterSize: CLUSTER, engine });

  test("whose memory is not there is refused, also where it is empty by that", async () => {
    const disk = await make();
    await disk.write(patternBytes(1, SIZE), 0);
    const detached = new ArrayBuffer(CLUSTER);
    const whole = new Uint8Array(detached);
    transfer(detached);
    const shrunk = resizable(CLUSTER);
    const [fixed, behind] = [new Uint8Array(shrunk, 0, 4000), new Uint8Array(shrunk, 4000)];
    shrunk.resize(3000);
    for (const buffer of [whole, fixed, behind]) {
      for (const verb of ["read", "write"] as const)
        await expect(async () => disk[verb](buffer, 0)).rejects.toThrow(
          /^buffer: expected a Uint8Array, got one whose memory/,
        );
    }
    for (const buffer of [new Uint8Array(0), new Uint8Array(shrunk, 3000)]) {
      await disk.read(buffer, 0);
      await disk.write(buffer, 0);
    }
  });

  test("of shared memory is as good as another", async () => {
    const disk = await make();
    const shared = new Uint8Array(new SharedArrayBuffer(2 * CLUSTER));
    shared.set(patternBytes(4, 2 * CLUSTER));
    await disk.write(shared, 100);
    shared.fill(0);
    await disk.read(shared, 100);
    expect(Buffer.compare(shared, patternBytes(4, 2 * CLUSTER))).toBe(0);
    const memory = growable(100);
    await disk.read(new Uint8Array(memory), 100);
    memory.grow(200);
    const expected = new Uint8Array(200);
    expected.set(patternBytes(4, 2 * CLUSTER).subarray(0, 100));
    expect(new Uint8Array(memory).slice()).toEqual(expected);
  });

  test("is a Uint8Array and nothing that only looks like one", async () => {
    const disk = await make();
    for (const [wrong, got] of [
      [new Proxy(new Uint8Array(8), {}), "a Uint8Array"],
      [Object.create(Uint8Array.prototype), "a Uint8Array"],
      [{ [Symbol.toStringTag]: "Uint8Array", length: 8 }, "an object"],
      [new Uint16Array(4), "a Uint16Array"],
      [new ArrayBuffer(8), "an ArrayBuffer"],
      [[1, 2], "an Array"],
      ["text", '"text"'],
      [8, "8"],
      [undefined, "undefined"],
      [null, "null"],
    ] as const) {
      for (const verb of ["read", "write"] as const) {
        const request = () => disk[verb](wrong as Uint8Array, 0);
        // What answers with a promise never throws instead.
        if (disk instanceof Disk) await expect(request(), got).rejects.toThrow(TypeError);
        else expect(request, got).toThrow(TypeError);
      }
    }
  });

  test("has an offset that is a number: what could be made one is not", async () => {
    const disk = await make();
    for (const offset of [
      "0",
      0n,
      { valueOf: () => 0 },
      [0],
      null,
      undefined,
      true,
      Symbol("0"),
      Number.NaN,
      0.5,
      -1,
      2 ** 60,
    ]) {
      for (const buffer of [new Uint8Array(8), new Uint8Array(0)]) {
        for (const verb of ["read", "write"] as const)
          await expect(async () => disk[verb](buffer, offset as number)).rejects.toThrow(
            /^offset: expected an integer from 0 to 32768, got /,
          );
      }
    }
    expect(disk.allocatedBytes).toBe(0);
  });
});

describe("A buffer that changes", () => {
  test("on its way to a disk in a worker, or back, is as it was when the request was made", async () => {
    const { port1, port2 } = new MessageChannel();
    serveDisk(port1 as never, Disk.create(new MemoryStorage(), { size: SIZE, clusterSize: CLUSTER }));
    const disk = await connectDisk(port2 as never);
    const memory = resizable(100);
    new Uint8Array(memory).set(patternBytes(5, 100));
    const written = disk.write(new Uint8Array(memory), 8);
    transfer(memory); // the bytes were copied
    await written;
    const growing = resizable(100);
    const read = disk.read(new Uint8Array(growing), 8);
    growing.resize(200);
    await read;
    expect(new Uint8Array(growing, 0, 100)).toEqual(patternBytes(5, 100));
    expect(new Uint8Array(growing, 100)).toEqual(new Uint8Array(100));
    for (const change of [transfer, (gone: ArrayBuffer) => (gone as Resizable).resize(7)]) {
      const gone = resizable(100);
      const lost = disk.read(new Uint8Array(gone), 8);
      change(gone);
      await expect(lost).rejects.toEqual(goneError);
      for (const verb of ["read", "write"] as const)
        if (gone.byteLength === 0) await expect(disk[verb](new Uint8Array(0), 0)).resolves.toBe(undefined);
    }
    await disk.close();
  });

  test("is no reason for a cache to keep other bytes than its storage", async () => {
    const memory = new MemoryStorage(patternBytes(6, SIZE));
    const storage = new HeldStorage(memory);
    const cache = cached(storage, { blockSize: CLUSTER, cacheSize: 64 * CLUSTER });
    await cache.read(new Uint8Array(SIZE), 0);
    for (const change of [
      transfer,
      (gone: ArrayBuffer) => (gone as Resizable).resize(7),
      (more: ArrayBuffer) => (more as Resizable).resize(SIZE),
    ]) {
      storage.hold();
      const changing = resizable(100);
      const write = Promise.resolve(cache.write(new Uint8Array(changing), 50));
      write.catch(() => {});
      change(changing);
      storage.letGo();
      await write.catch((error) => expect(error).toBeInstanceOf(TypeError));
      const [held, real] = [new Uint8Array(SIZE), memory.toUint8Array()];
      await cache.read(held, 0);
      expect(Buffer.compare(held, real)).toBe(0);
    }
  });

  test("at any time, in any way, never changes bytes outside its own request", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(...engines), async (seed, engine) => {
        const random = randomFrom(seed);
        const storage = new ShuffledStorage(new MemoryStorage(), random);
        const disk = await Disk.create(storage, { size: SIZE, clusterSize: CLUSTER, engine });
        const content = new Uint8Array(SIZE);
        await disk.write(content.fill(1, 0, 3 * CLUSTER).subarray(0, 3 * CLUSTER), 0);
        const open = new Uint8Array(SIZE); // bytes of requests that failed may be old or new
        const pending: Promise<void>[] = [];
        for (let step = 0, at = 0; step < 12 && at < SIZE - 4000; step++) {
          const length = 1 + below(random, 4000);
          const memory = resizable(length, 2 * SIZE);
          const bytes = patternBytes(step + 2, length);
          new Uint8Array(memory).set(bytes);
          const offset = at;
          at += length + below(random, 300);
          const written = disk.write(new Uint8Array(memory), offset).then(
            () => content.set(bytes, offset),
            (error) => {
              expect(error).toBeInstanceOf(TypeError);
              open.fill(1, offset, offset + length);
            },
          );
          pending.push(written);
          for (let turn = below(random, 4); turn > 0; turn--)
            await new Promise<void>((resolve) => setImmediate(resolve));
          const kind = below(random, 4);
          if (kind === 0) memory.resize(length + 5000);
          else if (kind === 1) memory.resize(below(random, length));
          else if (kind === 2) transfer(memory);
        }
        await Promise.all(pending);
        await disk.flush();
        const read = await contentOf(disk);
        expect(read.findIndex((byte, index) => open[index] === 0 && byte !== content[index])).toBe(-1);
        expect((await disk.check()).corruptions).toBe(0);
        await disk.close();
      }),
      runs(150),
    );
  });
});

test("A disk that is opened again holds what a growing buffer had", async () => {
  const memory = new MemoryStorage();
  const disk = await createDisk("sync", memory, { size: SIZE, clusterSize: CLUSTER });
  const growing = resizable(CLUSTER);
  new Uint8Array(growing).fill(9);
  await disk.write(new Uint8Array(growing), SIZE - CLUSTER);
  await disk.close();
  const again = await openDisk("sync", new MemoryStorage(memory.toUint8Array()), { readOnly: true });
  expect(again.allocatedBytes).toBe(CLUSTER);
});
