import { describe, expect, it } from "vitest";
import { BlockCache, type BlockSource, type CacheOptions, cacheSettings } from "../../src/storage/block-cache.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";

const KIB = 1024;
const SIZE = 1024 * KIB + 777;
const content = patternBytes(1, SIZE);
const SMALL: CacheOptions = { blockSize: 4 * KIB, cacheSize: 64 * KIB, readAhead: 16 * KIB };

interface Asked {
  offset: number;
  length: number;
}

/** Serves the content in any order, parts one after the other, and writes down what was asked. */
class Source implements BlockSource {
  readonly asked: Asked[] = [];
  readonly #random: Random;
  fails = false;

  constructor(random: Random) {
    this.#random = random;
  }

  async fill(parts: readonly Uint8Array[], offset: number, filled: (index: number) => void): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.asked.push({ offset, length });
    let at = offset;
    for (const [index, part] of parts.entries()) {
      for (let turns = below(this.#random, 5); turns > 0; turns--) await nextTurn();
      if (this.fails) throw new Error(`no bytes at ${at}`);
      part.set(content.subarray(at, at + part.length));
      at += part.length;
      filled(index);
    }
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function make(options: CacheOptions, seed = 1): { source: Source; cache: BlockCache } {
  const source = new Source(randomFrom(seed));
  const cache = new BlockCache(source, cacheSettings(options));
  cache.size = SIZE;
  return { source, cache };
}

async function expectRead(cache: BlockCache, offset: number, length: number): Promise<void> {
  const buffer = new Uint8Array(length).fill(0xa5);
  expect(await cache.read(buffer, offset)).toBe(length);
  expect(Buffer.compare(buffer, content.subarray(offset, offset + length)), `at ${offset}, ${length} bytes`).toBe(0);
}

describe("A block cache", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "reads what the source holds and keeps its bound, whatever order answers come in (seed %i)",
    async (seed) => {
      const random = randomFrom(seed);
      const cacheSize = (4 + below(random, 40)) * 4 * KIB;
      const { cache } = make({ ...SMALL, cacheSize }, seed);
      const reader = async () => {
        let offset = 0;
        for (let step = 0; step < 150; step++) {
          const length = 1 + below(random, random() < 0.1 ? 90 * KIB : 9 * KIB);
          // Some go forward, some anywhere.
          if (random() < 0.4 || offset + length > SIZE) offset = below(random, SIZE - length);
          await expectRead(cache, offset, length);
          expect(cache.bytes).toBeLessThanOrEqual(cacheSize);
          offset += length;
        }
      };
      const watch = { over: false };
      await Promise.race([Promise.all(Array.from({ length: 12 }, reader)), watchBound(cache, cacheSize, watch)]);
      expect(watch.over).toBe(false);
    },
  );

  it.each([512, 4 * KIB, 7 * KIB, 15 * KIB])(
    "fetches each byte once for a scan in steps of %i bytes, in few requests",
    async (step) => {
      const { source, cache } = make({ ...SMALL, cacheSize: 128 * KIB });
      for (let offset = 0; offset < SIZE; offset += step)
        await expectRead(cache, offset, Math.min(step, SIZE - offset));
      expect(source.asked.reduce((sum, { length }) => sum + length, 0)).toBe(SIZE);
      expect(source.asked.length).toBeLessThan(1.2 * (SIZE / (8 * KIB)) + 8);
    },
  );

  it("asks once for a block that many wait for", async () => {
    const { source, cache } = make({ ...SMALL, readAhead: 0 });
    await Promise.all(Array.from({ length: 20 }, (_, index) => expectRead(cache, 8 * KIB + index, 100)));
    expect(source.asked).toEqual([{ offset: 8 * KIB, length: 4 * KIB }]);
    expect(cache.statistics).toEqual({ cacheHits: 0, cacheMisses: 20 });
    await expectRead(cache, 8 * KIB, 4 * KIB);
    expect(cache.statistics.cacheHits).toBe(1);
  });

  it("asks in one request for neighbours that are missing, within one read and among reads of one turn", async () => {
    const { source, cache } = make({ ...SMALL, readAhead: 0 });
    await expectRead(cache, 1000, 12 * KIB);
    await Promise.all([
      expectRead(cache, 40 * KIB, 10),
      expectRead(cache, 32 * KIB, 10),
      expectRead(cache, 36 * KIB, 10),
    ]);
    expect(source.asked).toEqual([
      { offset: 0, length: 16 * KIB },
      { offset: 32 * KIB, length: 12 * KIB },
    ]);
    await expectRead(cache, 12 * KIB, 15 * KIB);
    expect(source.asked.at(-1)).toEqual({ offset: 16 * KIB, length: 12 * KIB });
  });

  it("does not let a first block wait for the last one of its request", async () => {
    const parts: ((index: number) => void)[] = [];
    const source: BlockSource = {
      fill: (_, __, filled) => new Promise(() => parts.push(filled)),
    };
    const cache = new BlockCache(source, cacheSettings(SMALL));
    cache.size = SIZE;
    const whole = cache.read(new Uint8Array(12 * KIB), 0);
    const first = cache.read(new Uint8Array(10), 0);
    await nextTurn();
    expect(parts.length).toBe(1);
    parts[0](0);
    expect(await first).toBe(10);
    expect(await Promise.race([whole, nextTurn().then(() => "waits")])).toBe("waits");
  });

  it("reads the middle of a large read straight, and keeps its edges", async () => {
    const { source, cache } = make({ ...SMALL, cacheSize: 64 * KIB });
    await expectRead(cache, 1 * KIB, 64 * KIB);
    expect(source.asked.toSorted((a, b) => a.offset - b.offset)).toEqual([
      { offset: 0, length: 4 * KIB },
      { offset: 4 * KIB, length: 60 * KIB },
      { offset: 64 * KIB, length: 4 * KIB },
    ]);
    expect(cache.bytes).toBe(8 * KIB);
    await expectRead(cache, 65 * KIB, 3 * KIB);
    expect(source.asked.length).toBe(3);
  });

  it("reads a table behind a header without reading ahead", async () => {
    const { source, cache } = make(SMALL);
    await expectRead(cache, 0, 64);
    await expectRead(cache, 64, 3 * KIB);
    await nextTurn();
    expect(source.asked).toEqual([{ offset: 0, length: 4 * KIB }]);
  });

  it("never reads ahead beyond the end, nor where it is told not to", async () => {
    for (const readAhead of [0, 16 * KIB]) {
      const { source, cache } = make({ ...SMALL, readAhead });
      for (let offset = SIZE - 40 * KIB; offset < SIZE; offset += KIB)
        await expectRead(cache, offset, Math.min(KIB, SIZE - offset));
      for (const { offset, length } of source.asked) {
        expect(offset + length).toBeLessThanOrEqual(SIZE);
        if (readAhead === 0) expect(length).toBeLessThanOrEqual(4 * KIB);
      }
    }
  });

  it("passes an error on to all who wait, asks again later, and leaves the buffer alone from then on", async () => {
    const { source, cache } = make(SMALL);
    source.fails = true;
    const buffers = [new Uint8Array(10), new Uint8Array(10 * KIB)];
    const results = await Promise.allSettled(buffers.map((buffer) => cache.read(buffer, 0)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    source.fails = false;
    for (const buffer of buffers) buffer.fill(7);
    await expectRead(cache, 0, 10 * KIB);
    expect(buffers.every((buffer) => buffer.every((byte) => byte === 7))).toBe(true);
  });

  it("does not end a read that failed while a part of it is still being filled", async () => {
    const ends: ((error?: Error) => void)[] = [];
    const source: BlockSource = {
      fill: (_, __, filled) =>
        new Promise((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve(filled(0))))),
    };
    const cache = new BlockCache(source, cacheSettings({ ...SMALL, readAhead: 0 }));
    cache.size = SIZE;
    void cache.read(new Uint8Array(10), 4 * KIB);
    await nextTurn();
    const reading = Promise.resolve(cache.read(new Uint8Array(8 * KIB), 0)).catch(() => "failed");
    await nextTurn();
    expect(ends.length).toBe(2);
    ends[1](new Error("no bytes"));
    expect(await Promise.race([reading, nextTurn().then(() => "waits")])).toBe("waits");
    ends[0]();
    expect(await reading).toBe("failed");
  });

  it("follows a reader that looks up the same bytes again and again", async () => {
    const { source, cache } = make({ ...SMALL, cacheSize: 128 * KIB });
    for (let offset = 64 * KIB; offset + KIB <= SIZE; offset += KIB) {
      await expectRead(cache, offset, KIB);
      for (let again = 0; again < 10; again++) await expectRead(cache, 0, 100);
    }
    expect(source.asked.length).toBeLessThan(SIZE / (8 * KIB));
  });

  it("refuses sizes that make no cache", () => {
    for (const [options, message] of [
      [{ blockSize: 5000 }, "blockSize: expected a power of two"],
      [{ blockSize: 2048 }, "blockSize: expected a power of two"],
      [{ blockSize: 2 ** 25 }, "blockSize: expected a power of two"],
      [{ cacheSize: 1000 }, "cacheSize: expected at least four blocks"],
      [{ readAhead: -1 }, "readAhead: expected 0 or more"],
      [{ readAhead: Number.NaN }, "readAhead: expected 0 or more"],
    ] as const) {
      expect(() => cacheSettings(options)).toThrow(RangeError);
      expect(() => cacheSettings(options)).toThrow(message);
    }
  });
});

/** Looks at the bound on every turn; never ends. */
async function watchBound(cache: BlockCache, cacheSize: number, watch: { over: boolean }): Promise<never> {
  for (;;) {
    if (cache.bytes > cacheSize) watch.over = true;
    await nextTurn();
  }
}
