/** Random histories of disks with dirty bitmaps, against a model that knows for each of them what changed and what was touched. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IN_USE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { type AnyDisk, createDisk, type FaceKind, fewCombinations, openDisk, readRange } from "../support/faces.js";
import { FIELD, setField } from "../support/image.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { runs } from "../support/runs.js";

const SECTOR = 512;

/** What a bitmap must say: at least what changed, at most what was touched. */
interface Expected {
  granularity: number;
  changed: Set<number>;
  touched: Set<number>;
  stale: boolean;
}

class History {
  readonly #random: Random;
  readonly #face: FaceKind;
  readonly #engine: "wasm" | "js";
  #storage = new MemoryStorage();
  #disk!: AnyDisk;
  #content = new Uint8Array();
  readonly #bitmaps = new Map<string, Expected>();
  #step = 0;

  constructor(seed: number, face: FaceKind, engine: "wasm" | "js") {
    this.#random = randomFrom(seed);
    this.#face = face;
    this.#engine = engine;
  }

  async run(steps: number): Promise<void> {
    const clusterSize = SECTOR * [1, 2, 3, 8, 63][below(this.#random, 5)];
    const size = SECTOR * (1 + below(this.#random, 600));
    const format = this.#random() < 0.5 ? "v1" : "v2";
    this.#disk = await createDisk(this.#face, this.#storage, { size, clusterSize, format, engine: this.#engine });
    this.#content = new Uint8Array(size);
    for (; this.#step < steps; this.#step++) await this.#next();
    await this.#reopen(IN_USE.closedV21);
    await this.#judge();
    await this.#disk.close();
  }

  async #next(): Promise<void> {
    const chance = this.#random();
    if (chance < 0.35) await this.#write();
    else if (chance < 0.5) await this.#clear();
    else if (chance < 0.6) await this.#disk.flush();
    else if (chance < 0.7) await this.#add();
    else if (chance < 0.76) await this.#remove();
    else if (chance < 0.82) await this.#clearBitmap();
    else if (chance < 0.9) await this.#reopen(IN_USE.closedV21);
    else if (chance < 0.94) await this.#reopen(IN_USE.closed);
    else if (chance < 0.97) await this.#lose();
    else await this.#judge();
  }

  #range(): [offset: number, length: number] {
    const offset = below(this.#random, this.#content.length);
    return [offset, Math.min(1 + below(this.#random, 3 * this.#disk.clusterSize), this.#content.length - offset)];
  }

  async #write(): Promise<void> {
    const [offset, length] = this.#range();
    const bytes = patternBytes(this.#step, length);
    await this.#disk.write(bytes, offset);
    this.#note(offset, bytes);
  }

  async #clear(): Promise<void> {
    const [offset, length] = this.#range();
    if (this.#random() < 0.5) await this.#disk.writeZeroes(offset, length);
    else await this.#disk.discard(offset, length);
    this.#note(offset, new Uint8Array(length));
  }

  #note(offset: number, bytes: Uint8Array): void {
    for (const { granularity, changed, touched } of this.#bitmaps.values()) {
      for (let at = 0; at < bytes.length; at++)
        if (this.#content[offset + at] !== bytes[at]) changed.add(Math.floor((offset + at) / granularity));
      const last = Math.floor((offset + bytes.length - 1) / granularity);
      for (let granule = Math.floor(offset / granularity); granule <= last; granule++) touched.add(granule);
    }
    this.#content.set(bytes, offset);
  }

  async #add(): Promise<void> {
    const granularity = SECTOR * 2 ** below(this.#random, 12);
    try {
      const id = await this.#disk.addBitmap({ granularity });
      this.#bitmaps.set(id, { granularity, changed: new Set(), touched: new Set(), stale: false });
    } catch (error) {
      // Small clusters have no room for many of them.
      expect(error).toMatchObject({ code: "TOO_LARGE" });
    }
  }

  async #remove(): Promise<void> {
    const id = this.#anyId();
    if (id === undefined) return;
    await this.#disk.removeBitmap(id);
    this.#bitmaps.delete(id);
  }

  async #clearBitmap(): Promise<void> {
    const id = this.#anyId();
    const bitmap = id && this.#bitmaps.get(id);
    if (!bitmap) return;
    await this.#disk.clearBitmap(id);
    Object.assign(bitmap, { changed: new Set(), touched: new Set(), stale: false });
  }

  #anyId(): string | undefined {
    return [...this.#bitmaps.keys()][below(this.#random, this.#bitmaps.size)];
  }

  /** Closes, has the header say that it was closed in some way, and opens again. */
  async #reopen(inUse: number): Promise<void> {
    const marked = this.#disk.info.inUse === IN_USE.open;
    await this.#disk.close();
    const bytes = this.#storage.toUint8Array();
    if (marked) this.#settle();
    this.#judgeFile(bytes);
    if (inUse !== IN_USE.closedV21) setField(bytes, FIELD.inUse, inUse);
    await this.#open(bytes, inUse !== IN_USE.closedV21);
  }

  /** The process ends: what was flushed is there, and no bitmap is to be believed. */
  async #lose(): Promise<void> {
    await this.#disk.flush();
    const unclean = this.#disk.info.inUse === IN_USE.open;
    await this.#disk.abandon();
    await this.#open(this.#storage.toUint8Array(), unclean);
  }

  async #open(bytes: Uint8Array, stale: boolean): Promise<void> {
    this.#storage = new MemoryStorage(bytes);
    this.#disk = await openDisk(this.#face, this.#storage, { engine: this.#engine });
    if (stale) for (const bitmap of this.#bitmaps.values()) bitmap.stale = true;
    expect((await this.#disk.check()).corruptions).toBe(0);
  }

  /** What a close makes of bitmaps that may have missed something. */
  #settle(): void {
    for (const bitmap of this.#bitmaps.values()) {
      if (!bitmap.stale) continue;
      const all = new Set(Array.from({ length: Math.ceil(this.#content.length / bitmap.granularity) }, (_, i) => i));
      Object.assign(bitmap, { changed: all, touched: all, stale: false });
    }
  }

  async #judge(): Promise<void> {
    expect(firstDifference(await readRange(this.#disk), this.#content)).toBe(-1);
    const said = this.#disk.bitmaps.map(({ id, granularity, stale }) => ({ id, granularity, stale }));
    const expected = [...this.#bitmaps].map(([id, { granularity, stale }]) => ({ id, granularity, stale }));
    expect(said).toEqual(expected);
    for (const [id, bitmap] of this.#bitmaps) {
      if (bitmap.stale) await expect(refusal(() => this.#disk.dirtyRanges(id))).resolves.toBe("STALE");
      else requireBetween(await this.#granules(id, bitmap.granularity), bitmap);
    }
  }

  /** The dirty granules as the disk tells them, some at a time. */
  async #granules(id: string, granularity: number): Promise<Set<number>> {
    const granules = new Set<number>();
    const limit = 1 + below(this.#random, 5);
    for (let offset = 0; ; ) {
      const ranges = await this.#disk.dirtyRanges(id, { offset, length: this.#content.length - offset, limit });
      for (const range of ranges) {
        expect(range.offset).toBeGreaterThanOrEqual(offset);
        offset = range.offset + range.length;
        for (let at = range.offset; at < offset; at += granularity) granules.add(Math.floor(at / granularity));
      }
      if (ranges.length < limit) return granules;
    }
  }

  /** What is in the file, by a reader of its own. */
  #judgeFile(bytes: Uint8Array): void {
    const found = readExtension(bytes)?.bitmaps ?? [];
    expect(found.map(({ id }) => id)).toEqual([...this.#bitmaps.keys()]);
    for (const bitmap of found) {
      const expected = this.#bitmaps.get(bitmap.id)!;
      expect(bitmap.granularity * SECTOR).toBe(expected.granularity);
      if (!expected.stale) requireBetween(new Set(dirtyGranules(bitmap)), expected);
    }
  }
}

function requireBetween(found: Set<number>, { changed, touched }: Expected): void {
  expect([...changed].filter((granule) => !found.has(granule))).toEqual([]);
  expect([...found].filter((granule) => !touched.has(granule))).toEqual([]);
}

async function refusal(request: () => unknown): Promise<unknown> {
  try {
    await request();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe.each(fewCombinations)("dirty bitmaps ($face face, $engine engine)", ({ face, engine }) => {
  test("say what changed since they were made or cleared, and of what they may have missed nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 5, max: 60 }), async (seed, steps) => {
        await new History(seed, face, engine).run(steps);
      }),
      runs(150, 12),
    );
  });
});
