/** A disk on a faulty storage, beside the bytes that it must hold. */
import { expect } from "vitest";
import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { type Format, IN_USE } from "../../src/format/header.js";
import type { OpenOptions } from "../../src/options.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { Bitmaps } from "../crash/bitmaps.js";
import { firstDifference } from "../support/bytes.js";
import { ID } from "../support/extension.js";
import { type AnyDisk, createDisk, type FaceKind, openDisk, readRange } from "../support/faces.js";
import { randomFrom } from "../support/random.js";
import { ShuffledStorage } from "../support/storages.js";
import { FaultyStorage } from "./faulty-storage.js";
import { baseBytes, CLUSTER, makeSample, type Sample, type Scenario, SIZE } from "./scenarios.js";
import { type Outcome, outcomeOf } from "./settled.js";

/** Which code is at work, and whether the storage answers in a later turn, in another order. */
export interface Setting {
  face: FaceKind;
  engine: EngineKind;
  format: Format;
  delayed: boolean;
}

export const settings: readonly Setting[] = [
  { face: "sync", engine: "js", format: "v1", delayed: false },
  { face: "sync", engine: "wasm", format: "v2", delayed: false },
  { face: "async", engine: "wasm", format: "v1", delayed: false },
  { face: "async", engine: "js", format: "v2", delayed: true },
];

export const titleOf = ({ face, engine, format, delayed }: Setting): string =>
  `${face} face, ${engine} engine, ${format}${delayed ? ", delayed answers" : ""}`;

const IN_USE_OFFSET = 44;

export class World {
  readonly setting: Setting;
  readonly scenario: Scenario;
  readonly faulty: FaultyStorage;
  /** What the disk must read as. */
  content: Uint8Array<ArrayBuffer>;
  disk!: AnyDisk;
  /** The bitmaps that the file may have. */
  readonly #bitmaps: Bitmaps;

  constructor(setting: Setting, scenario: Scenario, { image, content }: Sample) {
    this.setting = setting;
    this.scenario = scenario;
    this.faulty = new FaultyStorage(new MemoryStorage(image), scenario.unclean ? 1 : 0);
    this.content = content.slice();
    this.#bitmaps = new Bitmaps(image, this.content.slice());
  }

  /** A disk that is open and prepared; nothing goes wrong yet. */
  static async make(setting: Setting, scenario: Scenario, sample: Sample): Promise<World> {
    const world = new World(setting, scenario, sample);
    world.disk = await openDisk(setting.face, world.storage(), world.options());
    await scenario.prepare?.(world.disk, world.content);
    return world;
  }

  /** The faulty storage as the disk gets it. */
  storage(seed = 1): Storage {
    return this.setting.delayed ? new ShuffledStorage(this.faulty, randomFrom(seed)) : this.faulty;
  }

  options(): OpenOptions {
    const prealloc = { mode: this.setting.delayed ? "truncate" : "falloc", size: 2 * CLUSTER } as const;
    const base = this.scenario.base ? { base: new MemoryStorage(baseBytes()) } : {};
    return { engine: this.setting.engine, prealloc, ...base };
  }

  /** Carries out the scenario's request; answers its end, and what the disk holds if it took effect. */
  async act(): Promise<{ outcome: Outcome; after: Uint8Array<ArrayBuffer> }> {
    const after = this.content.slice();
    if (this.scenario.bitmap === "begins") this.#bitmaps.began(ID, after.slice());
    if (this.scenario.bitmap === "goes") this.#bitmaps.removed(ID);
    const outcome = await outcomeOf(this.scenario.name, () => this.scenario.act(this.disk, after));
    return { outcome, after };
  }

  /** What the disk reads as. */
  async read(): Promise<Uint8Array> {
    let bytes = new Uint8Array(0);
    const outcome = await outcomeOf("read", async () => {
      bytes = (await readRange(this.disk)) as Uint8Array<ArrayBuffer>;
    });
    if (!outcome.ok) throw outcome.error;
    return bytes;
  }

  async compare(): Promise<void> {
    expect(firstDifference(await this.read(), this.content), "the disk differs from the model at").toBe(-1);
  }

  /** Reads the disk after a request that failed: each byte is as before it or as after it. Goes on from what is there. */
  async settleFor(after: Uint8Array): Promise<void> {
    const now = await this.read();
    const wrong = now.findIndex((byte, index) => byte !== this.content[index] && byte !== after[index]);
    expect(wrong, "a byte is neither old nor new, at").toBe(-1);
    this.content.set(now);
  }

  /** Whether the file says that it was closed cleanly. */
  saysClosed(): boolean {
    return new DataView(this.faulty.memory.toUint8Array().buffer).getUint32(IN_USE_OFFSET, true) !== IN_USE.open;
  }

  /** The format extension in the file is sound, and its bitmaps, where they are believed, miss nothing. */
  expectMarked(): void {
    expect(this.#bitmaps.fault(this.faulty.memory.toUint8Array(), this.content)).toBeUndefined();
  }

  /** A storage is closed once, and again where that failed. */
  get wantedCloses(): number {
    return this.faulty.struck === "close" ? 2 : 1;
  }

  /** What a file that says so must hold: the content, no damage, nothing behind what is used. */
  async expectClosedCleanly(): Promise<void> {
    expect(this.faulty).toMatchObject({ closes: this.wantedCloses, tooLate: 0 });
    this.expectMarked();
    const disk = await this.reopen({ readOnly: true });
    expect(disk.info.unclean).toBe(false);
    // What a write left that failed halfway is waste: it lies in clusters that are free.
    const { findings } = await disk.check();
    expect(findings.filter(({ kind }) => kind !== "leakedInside" || this.faulty.struck === undefined)).toEqual([]);
    expect(firstDifference(await readRange(disk), this.content), "the file differs from the model at").toBe(-1);
    await disk.close();
  }

  /** The file as it is, on a storage without faults. */
  reopen(options: OpenOptions = {}): Promise<AnyDisk> {
    const copy = new MemoryStorage(this.faulty.memory.toUint8Array());
    return openDisk(this.setting.face, copy, { ...this.options(), ...options });
  }
}

/** The image that a scenario begins with. */
export function sampleFor({ face, engine }: Setting, format: Format, scenario: Partial<Scenario>): Promise<Sample> {
  const base = scenario.base ? { base: new MemoryStorage(baseBytes()) } : {};
  const options = { engine, size: SIZE, clusterSize: CLUSTER, format, ...base };
  return makeSample((memory) => createDisk(face, memory, options), format, scenario);
}

const CODES = { EIO: "IO", ENOSPC: "NO_SPACE" } as const;

/** An injected error reached the caller, as a DiskError with its cause. */
export function expectInjected(error: unknown, faulty: FaultyStorage): void {
  expect(error).toBeInstanceOf(DiskError);
  if (faulty.wild > 0) {
    expect((error as DiskError).code).toBe("BAD_STORAGE");
    return;
  }
  const system = faulty.error as NodeJS.ErrnoException;
  expect((error as DiskError).code).toBe(CODES[system.code as keyof typeof CODES]);
  expect((error as DiskError).cause).toBe(system);
}

/** A disk whose flush failed says so from now on. */
export function expectFlushFailed(outcome: Outcome, faulty: FaultyStorage): void {
  expect(outcome.ok, "a flush pretends after a failed one").toBe(false);
  const { error } = outcome as { error: DiskError };
  expect(error).toBeInstanceOf(DiskError);
  expect(error.code).toBe("FLUSH_FAILED");
  expect(rootOf(error)).toBe(faulty.error);
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
