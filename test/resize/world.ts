/** A disk that grows and shrinks, and the plain byte array that it must not differ from. */
import { expect } from "vitest";
import type { EngineKind } from "../../src/engine/engine.js";
import { encodeHeader, type Format, HEADER_SIZE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { withExtension } from "../support/extension.js";
import { type AnyDisk, createDisk, type FaceKind, openDisk, readRange } from "../support/faces.js";
import { hostBytes, setEntry } from "../support/image.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { isDirty, readExtension } from "../support/read-extension.js";

const SECTOR = 512;
/** What the bitmap is to say of a sector, beside 0: it was changed, or was written as it was. */
const [MAY, MUST] = [1, 2];

export interface Plan {
  format: Format;
  /** Sectors per cluster. */
  tracks: number;
  /** Clusters that the disk has at first, and at most. */
  clusters: number;
  most: number;
  /** What lies beneath: nothing, or raw bytes, so many times the first size. */
  base: number | undefined;
  /** A v1 image whose header does not say where the data is: so many sectors behind the derived place. */
  phase: number | undefined;
  /** A dirty bitmap: how many sectors a bit stands for. */
  granularity: number | undefined;
  seed: number;
}

export class ResizeWorld {
  readonly random: Random;
  readonly plan: Plan;
  storage: MemoryStorage;
  readonly base: MemoryStorage | undefined;
  disk!: AnyDisk;
  model: Uint8Array;
  /** Of each sector since the beginning: whether it must be dirty, or may be. */
  #changes: Uint8Array;
  #tag = 1;

  private constructor(
    readonly face: FaceKind,
    readonly engine: EngineKind,
    plan: Plan,
  ) {
    this.plan = plan;
    this.random = randomFrom(plan.seed);
    const size = plan.clusters * this.clusterSize - SECTOR * below(this.random, plan.tracks);
    this.model = new Uint8Array(size);
    this.#changes = new Uint8Array(size / SECTOR);
    const beneath = plan.base === undefined ? undefined : patternBytes(77, Math.floor(size * plan.base));
    if (beneath !== undefined) this.model.set(beneath.subarray(0, size));
    this.base = beneath && new MemoryStorage(beneath);
    this.storage = plan.phase === undefined ? new MemoryStorage() : new MemoryStorage(this.#withPhase(plan.phase));
  }

  static async begin(face: FaceKind, engine: EngineKind, plan: Plan): Promise<ResizeWorld> {
    const world = new ResizeWorld(face, engine, plan);
    const { storage, clusterSize, model } = world;
    if (plan.phase === undefined)
      world.disk = await createDisk(face, storage, {
        ...world.#options,
        size: model.length,
        clusterSize,
        format: plan.format,
      });
    else await world.open();
    if (plan.granularity !== undefined) await world.#addBitmap(plan.granularity);
    return world;
  }

  get clusterSize(): number {
    return this.plan.tracks * SECTOR;
  }

  get #options() {
    return { engine: this.engine, ...(this.base && { base: this.base }) };
  }

  async open(): Promise<void> {
    this.disk = await openDisk(this.face, this.storage, this.#options);
  }

  /** Puts a bitmap of which all is clear beside what is there. */
  async #addBitmap(granularity: number): Promise<void> {
    await this.disk.close();
    this.storage = new MemoryStorage(withExtension(this.storage.toUint8Array(), [{ granularity, dirty: [] }]));
    await this.open();
  }

  /** Closes the disk, has the image and its bitmap checked, and opens it again. */
  async reopen(): Promise<void> {
    await this.disk.close();
    const image = this.storage.toUint8Array();
    if (this.plan.granularity !== undefined) this.#expectDirty(image);
    this.storage = new MemoryStorage(image);
    await this.open();
    const { findings } = await this.disk.check();
    expect(findings).toEqual([]);
  }

  async resize(size = SECTOR * below(this.random, this.plan.most * this.plan.tracks)): Promise<void> {
    await this.disk.resize(size);
    const model = new Uint8Array(size);
    model.set(this.model.subarray(0, size));
    this.model = model;
    this.#changes = this.#resized(size / SECTOR);
    expect(this.disk.size).toBe(size);
    expect(this.disk.clusterCount).toBe(Math.ceil(size / this.clusterSize));
  }

  async write(): Promise<void> {
    const { offset, length } = this.range();
    const bytes = patternBytes(this.#tag++, length);
    await this.disk.write(bytes, offset);
    this.model.set(bytes, offset);
    this.#note(offset, length, () => MUST);
  }

  /** Gives a range up; over a base, where a discard promises nothing, it becomes zeros. */
  async clear(): Promise<void> {
    const { offset, length } = this.range();
    this.#note(offset, length, (part) => (part.some((byte) => byte !== 0) ? MUST : MAY));
    await (this.base === undefined ? this.disk.discard(offset, length) : this.disk.writeZeroes(offset, length));
    this.model.fill(0, offset, offset + length);
  }

  /** A range of the disk, of some clusters at most; often to a boundary. */
  range(): { offset: number; length: number } {
    const { random, clusterSize } = this;
    const size = this.model.length;
    const cluster = clusterSize * below(random, Math.ceil(size / clusterSize));
    const offset = Math.min(size, cluster + (random() < 0.5 ? 0 : below(random, clusterSize)));
    const wanted = random() < 0.5 ? clusterSize * (1 + below(random, 4)) : below(random, 2 * clusterSize);
    return { offset, length: Math.min(size - offset, wanted) };
  }

  /** What is added is dirty; a bit that is cut by the disk's end stays for what is left of it. */
  #resized(sectors: number): Uint8Array {
    const changes = new Uint8Array(sectors).fill(MUST);
    changes.set(this.#changes.subarray(0, sectors));
    const { granularity = 1 } = this.plan;
    const cut = this.#changes.subarray(sectors, Math.ceil(sectors / granularity) * granularity);
    if (cut.some((kind) => kind !== 0)) changes[sectors - 1] ||= MAY;
    return changes;
  }

  #note(offset: number, length: number, kindOf: (part: Uint8Array) => number): void {
    for (let at = offset; at < offset + length; ) {
      const sector = Math.floor(at / SECTOR);
      const end = Math.min(offset + length, (sector + 1) * SECTOR);
      this.#changes[sector] = Math.max(this.#changes[sector], kindOf(this.model.subarray(at, end)));
      at = end;
    }
  }

  /** The bitmap misses nothing that was changed, and has nothing that was not. */
  #expectDirty(image: Uint8Array): void {
    const [bitmap] = readExtension(image)?.bitmaps ?? [];
    const { granularity } = bitmap;
    expect(granularity).toBe(this.plan.granularity);
    for (let granule = 0; granule * granularity < this.#changes.length; granule++) {
      const part = this.#changes.subarray(granule * granularity, (granule + 1) * granularity);
      const [must, may] = [part.includes(MUST), part.some((kind) => kind !== 0)];
      const dirty = isDirty(bitmap, granule);
      if (must !== dirty && may !== dirty) expect(dirty, `granule ${granule} is dirty`).toBe(must);
    }
  }

  async expectSame(): Promise<void> {
    expect(firstDifference(await readRange(this.disk), this.model)).toBe(-1);
  }

  /** As VirtualBox leaves it; every other cluster holds data, in reverse order. */
  #withPhase(phase: number): Uint8Array {
    const { clusters, tracks } = this.plan;
    const start = Math.ceil((HEADER_SIZE + 4 * clusters) / SECTOR) + phase;
    const hosts = Math.ceil(clusters / 2);
    const file = new Uint8Array((start + hosts * tracks) * SECTOR);
    const fields = { heads: 16, cylinders: 1, inUse: 0, dataOffset: 0, flags: 0, extensionOffset: 0 };
    const sectorCount = this.model.length / SECTOR;
    file.set(encodeHeader({ format: "v1", tracks, batEntries: clusters, sectorCount, ...fields }));
    for (let host = 0; host < hosts; host++) {
      const guest = 2 * (hosts - 1 - host);
      const content = hostBytes(host, tracks);
      file.set(content, (start + host * tracks) * SECTOR);
      setEntry(file, guest, start + host * tracks);
      const at = guest * this.clusterSize;
      this.model.set(content.subarray(0, Math.min(content.length, this.model.length - at)), at);
    }
    return file;
  }
}
