/**
 * A dirty bitmap never misses a bit, and tells no more than was touched: random operations with losses of power in
 * between, and what each bitmap says compared with what has changed since it began.
 */
import { expect, test } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { Bitmaps } from "../crash/bitmaps.js";
import { randomSurvival, requestsOf, stateUnder } from "../crash/crash-states.js";
import { CrashStorage, SECTOR } from "../crash/crash-storage.js";
import { choose } from "../crash/setting.js";
import { CLOSED_V21 } from "../support/extension.js";
import { type AnyDisk, createDisk, type FaceKind, fewCombinations, openDisk, readRange } from "../support/faces.js";
import { FIELD, fieldOf } from "../support/image.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { runs } from "../support/runs.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(100_000, 2_000);
/** Operations on one image. */
const STRETCH = 1000;

/** Of the coarsest granule. */
const MOST_SECTORS = 16;

const counts = { crashes: 0, closes: 0, compared: 0 };

const OPERATIONS = [
  ...Array<"write">(40).fill("write"),
  ...Array<"writeZeroes">(8).fill("writeZeroes"),
  ...Array<"discard">(8).fill("discard"),
  ...Array<"flush">(4).fill("flush"),
  ...Array<"reopen">(2).fill("reopen"),
  ...Array<"crash">(1).fill("crash"),
  ...Array<"clear">(2).fill("clear"),
  "resize",
  "compact",
  "add",
  "remove",
] as const;

class Marathon {
  readonly random: Random;
  readonly #face: FaceKind;
  readonly #options: { engine: "wasm" | "js" };
  readonly #features: { punch: boolean; allocate: boolean };
  readonly #most: number;
  #storage!: CrashStorage;
  #disk!: AnyDisk;
  #content!: Uint8Array;
  #bitmaps!: Bitmaps;
  /** What was touched since a bitmap began, sector by sector; none for one that was stale, of which all is dirty. */
  readonly #touched = new Map<string, Uint8Array>();
  #tag = 1;

  private constructor(seed: number, face: FaceKind, engine: "wasm" | "js") {
    this.random = randomFrom(seed);
    this.#face = face;
    this.#options = { engine };
    this.#features = { punch: this.random() < 0.5, allocate: this.random() < 0.5 };
    this.#most = 64 + below(this.random, 400);
  }

  static async start(seed: number, face: FaceKind, engine: "wasm" | "js"): Promise<Marathon> {
    const marathon = new Marathon(seed, face, engine);
    const memory = new MemoryStorage();
    const clusterSize = choose(marathon.random, [1, 2, 8, 63]) * SECTOR;
    const format = choose(marathon.random, ["v1", "v2"] as const);
    const disk = await createDisk(face, memory, { size: marathon.#size(), clusterSize, format });
    await disk.close();
    await marathon.#open(memory.toUint8Array());
    await marathon.add();
    return marathon;
  }

  async step(): Promise<void> {
    await this[choose(this.random, OPERATIONS)]();
  }

  async write(): Promise<void> {
    const { offset, length } = this.#range();
    const bytes = patternBytes(this.#tag++, length);
    await this.#disk.write(bytes, offset);
    this.#content.set(bytes, offset);
    this.#touch(offset, length);
  }

  async writeZeroes(): Promise<void> {
    const { offset, length } = this.#range();
    await this.#disk.writeZeroes(offset, length);
    this.#content.fill(0, offset, offset + length);
    this.#touch(offset, length);
  }

  async discard(): Promise<void> {
    const { offset, length } = this.#range();
    await this.#disk.discard(offset, length);
    this.#content.fill(0, offset, offset + length);
    this.#touch(offset, length);
  }

  async flush(): Promise<void> {
    await this.#disk.flush();
    await this.#compareOpen();
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.#open(this.#storage.cached());
  }

  async close(): Promise<void> {
    await this.#disk.close();
    counts.closes++;
    this.#compare(this.#storage.cached());
  }

  async crash(): Promise<void> {
    counts.crashes++;
    const pending = this.#storage.pending();
    const { size, picks } = stateUnder(pending, randomSurvival(requestsOf(pending), this.random));
    await this.#disk.abandon();
    await this.#open(this.#storage.crashed(pending, size, picks));
  }

  async resize(): Promise<void> {
    const before = this.#disk.size;
    const size = this.#size();
    await this.#disk.resize(size);
    const content = new Uint8Array(size);
    content.set(this.#content.subarray(0, size));
    this.#content = content;
    for (const [id, touched] of this.#touched) {
      const resized = new Uint8Array(size / SECTOR);
      // A granule that the end now cuts has been touched if what was cut off has.
      if (touched.subarray(resized.length, resized.length + MOST_SECTORS).includes(1)) touched[resized.length - 1] = 1;
      resized.set(touched.subarray(0, resized.length));
      this.#touched.set(id, resized.fill(1, Math.min(before, size) / SECTOR));
    }
  }

  async compact(): Promise<void> {
    await this.#disk.compact({ order: this.random() < 0.3 });
  }

  async add(): Promise<void> {
    if (this.#bitmaps.ids.length > 1) return this.clear();
    const id = `00000000-0000-4000-8000-${(this.#tag++).toString(16).padStart(12, "0")}`;
    await this.#disk.addBitmap({ id, granularity: SECTOR << below(this.random, Math.log2(MOST_SECTORS) + 1) });
    this.#began(id);
  }

  async clear(): Promise<void> {
    if (this.#bitmaps.ids.length === 0) return this.add();
    const id = choose(this.random, this.#bitmaps.ids);
    await this.#disk.clearBitmap(id);
    this.#began(id);
  }

  async remove(): Promise<void> {
    if (this.#bitmaps.ids.length < 2) return this.add();
    const id = choose(this.random, this.#bitmaps.ids);
    await this.#disk.removeBitmap(id);
    this.#bitmaps.removed(id);
    this.#bitmaps.flushed();
    this.#touched.delete(id);
  }

  #began(id: string): void {
    this.#bitmaps.began(id, this.#content.slice());
    this.#bitmaps.flushed();
    this.#touched.set(id, new Uint8Array(this.#content.length / SECTOR));
  }

  async #open(image: Uint8Array): Promise<void> {
    const believed = fieldOf(image, FIELD.inUse) === CLOSED_V21;
    this.#storage = new CrashStorage(image, this.#features);
    this.#disk = await openDisk(this.#face, this.#storage, this.#options);
    this.#content = await readRange(this.#disk);
    this.#bitmaps = new Bitmaps(image, this.#content, this.#bitmaps);
    for (const { id, stale } of this.#disk.bitmaps) expect(stale, `bitmap ${id} is stale`).toBe(!believed);
    if (!believed) this.#touched.clear();
  }

  /** What an image that was closed says. */
  #compare(image: Uint8Array): void {
    expect(this.#bitmaps.fault(image, this.#content)).toBeUndefined();
    if (fieldOf(image, FIELD.inUse) !== CLOSED_V21) return;
    for (const bitmap of readExtension(image)?.bitmaps ?? []) {
      counts.compared++;
      const touched = this.#touched.get(bitmap.id);
      for (const granule of touched === undefined ? [] : dirtyGranules(bitmap)) {
        const [from, to] = [granule * bitmap.granularity, (granule + 1) * bitmap.granularity];
        expect(touched!.subarray(from, to).includes(1), `granule ${granule} is dirty, and nothing touched it`).toBe(
          true,
        );
      }
    }
  }

  /** What an open disk says. */
  async #compareOpen(): Promise<void> {
    for (const { id, stale } of this.#disk.bitmaps) {
      if (stale) continue;
      counts.compared++;
      const ranges = await this.#disk.dirtyRanges(id);
      expect(this.#bitmaps.missedBy(id, ranges, this.#content)).toBeUndefined();
    }
  }

  #touch(offset: number, length: number): void {
    const [first, end] = [Math.floor(offset / SECTOR), Math.ceil((offset + length) / SECTOR)];
    for (const touched of this.#touched.values()) touched.fill(1, first, end);
  }

  #size(): number {
    return (1 + below(this.random, this.#most)) * SECTOR;
  }

  #range(): { offset: number; length: number } {
    const size = this.#content.length;
    const unit = choose(this.random, [1, SECTOR, SECTOR, this.#disk.clusterSize]);
    const offset = Math.floor(below(this.random, size) / unit) * unit;
    return { offset, length: Math.min(size - offset, (1 + below(this.random, 3)) * unit) };
  }
}

test("a dirty bitmap never misses a bit", { timeout: Math.max(600_000, 10 * wanted) }, async () => {
  for (let done = 0, seed = firstSeed; done < wanted; seed++) {
    const { face, engine } = fewCombinations[seed % fewCombinations.length];
    const marathon = await Marathon.start(seed, face, engine);
    for (let step = 0; step < STRETCH && done < wanted; step++, done++) {
      try {
        await marathon.step();
      } catch (error) {
        (error as Error).message = `PARABLOCK_SEED=${seed}, operation ${step}: ${(error as Error).message}`;
        throw error;
      }
    }
    await marathon.close();
  }
  const { crashes, closes, compared } = counts;
  console.log(
    `${wanted} operations, ${crashes} losses of power, ${closes} closes, ${compared} bitmaps compared (seed ${firstSeed})`,
  );
  expect(Math.min(crashes, closes, compared)).toBeGreaterThan(wanted / 500);
});
