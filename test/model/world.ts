/**
 * A disk and the plain byte array that it must not differ from, driven by the same operations. Everything is made
 * from a plan, which fast-check shrinks and replays.
 */
import fc from "fast-check";
import { expect } from "vitest";
import type { Extent } from "../../src/device/block-device.js";
import type { EngineKind } from "../../src/engine/engine.js";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { compactIn } from "../support/compacting.js";
import { type AnyBase, type AnyDisk, createDisk, type FaceKind, openDisk, readRange } from "../support/faces.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { ShortStorage, ShuffledStorage } from "../support/storages.js";

const CLUSTER_SIZES = [512, 4096, 63 * 512, 64 * 1024, 1024 * 1024];
const BASES = ["none", "none", "raw", "disk", "chain"] as const;

export interface Plan {
  format: Format;
  clusterSize: number;
  size: number;
  base: (typeof BASES)[number];
  baseSize: number;
  storage: "memory" | "short" | "shuffled";
  seed: number;
}

/** Disks of one to a dozen clusters (of 1 MiB: at most three), the last one seldom whole; bases of any length. */
export function plans(face: FaceKind): fc.Arbitrary<Plan> {
  const storages = ["memory", "short", ...(face === "async" ? (["shuffled"] as const) : [])] as const;
  return fc
    .record({
      format: fc.constantFrom<Format>("v1", "v2"),
      clusterSize: fc.constantFrom(...CLUSTER_SIZES),
      clusters: fc.integer({ min: 1, max: 12 }),
      cut: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
      base: fc.constantFrom(...BASES),
      baseLength: fc.double({ min: 0, max: 1.3, noNaN: true }),
      storage: fc.constantFrom(...storages),
      seed: fc.nat(),
    })
    .map(({ clusters, cut, baseLength, ...plan }) => {
      const count = plan.clusterSize > 500_000 ? Math.ceil(clusters / 4) : clusters;
      const size = count * plan.clusterSize - Math.floor((cut * plan.clusterSize) / 512) * 512;
      const exact = Math.floor(size * baseLength);
      // Disks have whole sectors, raw files any length.
      return { ...plan, size, baseSize: plan.base === "raw" ? exact : Math.ceil(exact / 512) * 512 };
    });
}

export type Verb =
  | "read"
  | "write"
  | "writeZeroes"
  | "discard"
  | "flush"
  | "blockStatus"
  | "beyond"
  | "compact"
  | "reopen"
  | "crash";

/** An operation whose range is fitted to the disk when it is carried out. */
export interface Step {
  verb: Verb;
  cluster: number;
  offsetDelta: number;
  clusters: number;
  lengthDelta: number;
  tag: number;
}

const deltas = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(1, -1, 511, 512, 513, -511, -512, -513, 4095, 4096) },
  { weight: 1, arbitrary: fc.integer({ min: -70_000, max: 70_000 }) },
);

export function steps(...verbs: Verb[]): fc.Arbitrary<Step> {
  return fc.record({
    verb: fc.constantFrom(...verbs),
    cluster: fc.nat(12),
    offsetDelta: deltas,
    clusters: fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constant(99) }),
    lengthDelta: deltas,
    tag: fc.nat(1_000_000),
  });
}

/** The range that a step means on a disk: it always lies on the disk, and may be empty. */
export function rangeOf({ cluster, offsetDelta, clusters, lengthDelta }: Step, size: number, clusterSize: number) {
  const clusterCount = Math.max(1, Math.ceil(size / clusterSize));
  const offset = Math.max(0, Math.min(size, (cluster % clusterCount) * clusterSize + offsetDelta));
  const length = Math.max(0, Math.min(size - offset, clusters * clusterSize + lengthDelta));
  return { offset, length };
}

interface Beneath {
  base: AnyBase | undefined;
  /** What the base holds, up to its end. */
  content: Uint8Array;
}

type Wrap = (memory: MemoryStorage) => Storage;

export class World {
  /** Requests fail halfway, and may leave bytes in free clusters. */
  wasteful = false;
  readonly plan: Plan;
  readonly face: FaceKind;
  readonly engine: EngineKind;
  readonly random: Random;
  readonly beneath: Beneath;
  /** What the disk must read as. */
  readonly model: Uint8Array;
  memory: MemoryStorage;
  disk!: AnyDisk;
  readonly #wrap: Wrap | undefined;
  /** Something was written since the disk was last closed. */
  #changed = false;

  private constructor(plan: Plan, face: FaceKind, engine: EngineKind, beneath: Beneath, wrap?: Wrap) {
    this.#wrap = wrap;
    this.plan = plan;
    this.face = face;
    this.engine = engine;
    this.random = randomFrom(plan.seed);
    this.beneath = beneath;
    this.model = new Uint8Array(plan.size);
    this.model.set(beneath.content.subarray(0, plan.size));
    this.memory = new MemoryStorage();
  }

  /** @param wrap makes the storage that the disk stands on, instead of the plan's */
  static async make(plan: Plan, face: FaceKind, engine: EngineKind, wrap?: Wrap): Promise<World> {
    const world = new World(plan, face, engine, await makeBeneath(plan, face, engine), wrap);
    const { size, clusterSize, format } = plan;
    world.disk = await createDisk(face, world.storage(), { size, clusterSize, format, ...world.#options() });
    return world;
  }

  /** What zeros do to the model, and a discard, which leaves what lies over the base. */
  clear(verb: "discard" | "writeZeroes", offset: number, length: number): void {
    const end = offset + length;
    this.model.fill(0, verb === "discard" ? Math.min(end, Math.max(offset, this.beneath.content.length)) : offset, end);
  }

  /** Carries out one step on both, and compares what it touched. */
  async step(step: Step): Promise<void> {
    const { offset, length } = rangeOf(step, this.plan.size, this.plan.clusterSize);
    switch (step.verb) {
      case "read":
        return this.compare(offset, length);
      case "write":
        await this.disk.write(this.write(step, offset, length), offset);
        return this.compare(Math.max(0, offset - 9), Math.min(length + 18, this.plan.size - Math.max(0, offset - 9)));
      case "writeZeroes":
      case "discard":
        await this.disk[step.verb](offset, length);
        this.clear(step.verb, offset, length);
        return this.compare(offset, length);
      case "flush":
        return this.disk.flush();
      case "blockStatus":
        await this.disk.flush(); // what was written since may wait in memory
        return this.compareStatus(offset, length, this.memory.toUint8Array());
      case "beyond":
        return this.#beyond(offset, step.tag);
      case "compact":
        return this.compact(step.tag % 2 === 0, 1 + (step.tag % 5));
      case "reopen":
        return this.reopen();
      case "crash":
        return this.#crash();
    }
  }

  /** Puts a step's bytes into the model and answers them. */
  write(step: Step, offset: number, length: number): Uint8Array {
    const bytes = patternBytes(step.tag, length);
    this.model.set(bytes, offset);
    this.#changed ||= length > 0;
    return bytes;
  }

  async compare(offset = 0, length = this.plan.size - offset): Promise<void> {
    expectSame(await readRange(this.disk, offset, length), this.model.subarray(offset, offset + length), offset);
  }

  /** Takes over what the disk holds, after requests whose order is not known. */
  async readModel(): Promise<void> {
    this.model.set(await readRange(this.disk));
  }

  /** Closes, looks at the file, and opens it again. */
  async reopen(): Promise<void> {
    await this.disk.close();
    this.#changed = false;
    await this.#look();
    await this.#open();
    await this.compare();
  }

  /** Leaves the disk after a flush without closing it, and takes it over. */
  async #crash(): Promise<void> {
    await this.disk.flush();
    await this.disk.abandon();
    await this.#open();
    if (this.#changed) expect(this.disk.info.unclean).toBe(true);
    await this.compare();
  }

  /** Compacts the disk, which nobody else uses: it gains what it said it would, and nothing more is left to gain. */
  async compact(order: boolean, windowClusters: number): Promise<void> {
    await this.disk.flush(); // what was written since may wait in memory
    const foreseen = await this.disk.compact({ order, dryRun: true });
    const report = await compactIn(this.disk, windowClusters * this.plan.clusterSize, { order });
    const { movedClusters, ...gained } = report;
    expect({ ...gained, movedClusters: foreseen.movedClusters }).toEqual(foreseen);
    if (order) expect(movedClusters).toBeLessThanOrEqual((2 * this.plan.size) / this.plan.clusterSize + 2);
    else expect(movedClusters).toBe(foreseen.movedClusters);
    const { fileSizeAfter } = report;
    expect(this.memory.size()).toBe(fileSizeAfter);
    const check = await this.disk.check();
    expect(check).toMatchObject({ leaks: 0, corruptions: 0, imageEndOffset: fileSizeAfter });
    if (order) expect(check.fragmentedClusters).toBe(0);
    const file = this.memory.toUint8Array();
    expect(await this.disk.compact({ order })).toEqual({
      ...{ fileSizeBefore: fileSizeAfter, fileSizeAfter, zeroClusters: 0, freeClusters: 0, movedClusters: 0 },
    });
    expectSame(this.memory.toUint8Array(), file, 0);
    await this.compare();
  }

  async #beyond(offset: number, tag: number): Promise<void> {
    const length = this.plan.size - offset + 1 + (tag % 1000);
    const requests = [
      () => this.disk.read(new Uint8Array(length), offset),
      () => this.disk.write(new Uint8Array(length), offset),
      () => this.disk.discard(offset, length),
      () => this.disk.writeZeroes(offset, length),
      () => this.disk.status(offset, length),
      () => this.disk.read(new Uint8Array(1), -1),
      () => this.disk.write(new Uint8Array(1), offset + 0.5),
    ];
    for (const request of requests) await expect(async () => request()).rejects.toThrow(RangeError);
    await this.compare();
  }

  /** What a disk that was closed must look like: opened for reading only, by the other engine. */
  async #look(): Promise<void> {
    const file = this.memory.toUint8Array();
    const other = this.engine === "wasm" ? "js" : "wasm";
    const disk = await openDisk(this.face, new MemoryStorage(file), {
      ...this.#options(),
      engine: other,
      readOnly: true,
    });
    const report = await disk.check();
    // What a request left that failed halfway is waste: it lies in clusters that are free.
    expect(report.findings.filter(({ kind }) => kind !== "leakedInside" || !this.wasteful)).toEqual([]);
    expect(report.imageEndOffset).toBe(file.length);
    expect(disk.info.inUse).toBe(0);
    const status = await disk.status();
    expectAllocated(disk, status, file.length);
    await this.compareStatus(0, this.plan.size, file, disk);
    await disk.close();
  }

  /** Compares what block status says with the model, with what lies in the file, and with the base. */
  async compareStatus(offset: number, length: number, file: Uint8Array, disk = this.disk): Promise<void> {
    const status = await disk.status(offset, length);
    let at = offset;
    for (const [index, run] of status.entries()) {
      expect(run.offset).toBe(at);
      expect(run.length).toBeGreaterThan(0);
      expect(follows(status[index - 1], run)).toBe(false);
      const expected = this.model.subarray(at, at + run.length);
      if (run.kind === "data" && run.layer === 0 && run.fileOffset !== undefined) {
        expectSame(file.subarray(run.fileOffset, run.fileOffset + run.length), expected, at);
      } else if (run.kind === "data") {
        expectSame(this.beneath.content.subarray(at, at + run.length), expected, at);
      } else {
        expect(expected.every((byte) => byte === 0)).toBe(true);
      }
      at += run.length;
    }
    expect(at).toBe(offset + length);
  }

  /** The disk's file behind the storage that the plan asks for. */
  storage(): Storage {
    if (this.#wrap !== undefined) return this.#wrap(this.memory);
    if (this.plan.storage === "short") return new ShortStorage(this.memory, this.random);
    return this.plan.storage === "shuffled" ? new ShuffledStorage(this.memory, this.random) : this.memory;
  }

  async #open(): Promise<void> {
    this.memory = new MemoryStorage(this.memory.toUint8Array());
    this.disk = await openDisk(this.face, this.storage(), this.#options());
  }

  #options(): { engine: EngineKind; base?: AnyBase } {
    const { engine, beneath } = this;
    return beneath.base === undefined ? { engine } : { engine, base: beneath.base };
  }
}

function expectAllocated(disk: AnyDisk, status: Extent[], fileSize: number): void {
  const allocated = new Set<number>();
  for (const run of status) {
    if (run.layer > 0 || run.fileOffset === undefined) continue;
    for (let at = run.offset; at < run.offset + run.length; at += disk.clusterSize) {
      allocated.add(run.fileOffset + at - run.offset);
    }
  }
  expect(disk.allocatedBytes).toBe(allocated.size * disk.clusterSize);
  expect(fileSize).toBeGreaterThanOrEqual(disk.info.dataOffset + disk.allocatedBytes);
}

/** Whether two runs should have been one. */
function follows(previous: Extent | undefined, run: Extent): boolean {
  if (previous === undefined || previous.kind !== run.kind || previous.layer !== run.layer) return false;
  if (previous.fileOffset === undefined) return run.fileOffset === undefined;
  return previous.fileOffset + previous.length === run.fileOffset;
}

/** Compares bytes quickly, and says where they first differ. */
export function expectSame(got: Uint8Array, expected: Uint8Array, offset: number): void {
  const length = Math.max(got.length, expected.length);
  for (let index = 0; index < length; index++) {
    if (got[index] !== expected[index]) {
      expect.fail(`byte ${offset + index}: got ${got[index]}, expected ${expected[index]} (${length} bytes compared)`);
    }
  }
}

/** What lies beneath: raw bytes, a disk, or a disk over another one. */
async function makeBeneath(plan: Plan, face: FaceKind, engine: EngineKind): Promise<Beneath> {
  const random = randomFrom(~plan.seed);
  const { base, baseSize } = plan;
  if (base === "none") return { base: undefined, content: new Uint8Array(0) };
  if (base === "raw") {
    const content = patternBytes(7, baseSize);
    return { base: new MemoryStorage(content), content };
  }
  const beneath: Beneath = { base: undefined, content: new Uint8Array(0) };
  if (base === "disk") return layer(beneath, baseSize, random, face, engine);
  const lower = await layer(beneath, Math.ceil((baseSize * 0.7) / 512) * 512, random, face, engine);
  return layer(lower, baseSize, random, face, engine);
}

/** A disk with some data over what is beneath it, open for reading only. */
async function layer(
  beneath: Beneath,
  size: number,
  random: Random,
  face: FaceKind,
  engine: EngineKind,
): Promise<Beneath> {
  const content = new Uint8Array(size);
  content.set(beneath.content.subarray(0, size));
  const memory = new MemoryStorage();
  const options = beneath.base === undefined ? { engine } : { engine, base: beneath.base };
  const clusterSize = CLUSTER_SIZES[below(random, 4)];
  const format = random() < 0.5 ? "v1" : "v2";
  const disk = await createDisk(face, memory, { ...options, size, clusterSize, format });
  for (let count = 0; count < 4; count++) {
    const offset = below(random, size);
    const bytes = patternBytes(100 + count, below(random, Math.min(100_000, size - offset)));
    await disk.write(bytes, offset);
    content.set(bytes, offset);
  }
  await disk.close();
  const file = new MemoryStorage(memory.toUint8Array());
  return { base: await openDisk(face, file, { ...options, readOnly: true }), content };
}
