/** Overlays over bases of every kind, with what they read as in plain byte arrays. */
import type { AnyDevice } from "../../src/device/block-device.js";
import type { Disk } from "../../src/disk.js";
import type { DiskSync } from "../../src/disk-sync.js";
import type { EngineKind } from "../../src/engine/engine.js";
import { joinDevices, joinDevicesSync, MemoryStorage, rawDevice, rawDeviceSync } from "../../src/index.js";
import { type CommitOptions, commitDisk, commitDiskSync, rebaseDisk, rebaseDiskSync } from "../../src/overlay.js";
import type { Storage } from "../../src/storage/storage.js";
import { type AnyBase, type AnyDisk, createDisk, type FaceKind } from "../support/faces.js";
import { below, patternBytes, type Random } from "../support/random.js";

export type BaseKind = "raw" | "device" | "parallels" | "joined" | "over";
export const BASE_KINDS: readonly BaseKind[] = ["raw", "device", "parallels", "joined", "over"];

/** In which disks and what is written are counted. */
export const UNIT = 512;
const CLUSTER_SIZES = [512, 1024, 1536, 4096, 16384];

export interface Beneath {
  /** As the option takes it. */
  readonly base: AnyBase;
  readonly content: Uint8Array;
}

/** Verbs of either face. */
export const commitAny = (face: FaceKind, disk: AnyDisk, options?: CommitOptions): void | Promise<void> =>
  face === "async" ? commitDisk(disk as Disk, options) : commitDiskSync(disk as DiskSync, options);

export const rebaseAny = (
  face: FaceKind,
  disk: AnyDisk,
  to: AnyBase | undefined,
  options = {},
): void | Promise<void> =>
  face === "async"
    ? rebaseDisk(disk as Disk, to, options)
    : rebaseDiskSync(disk as DiskSync, to as MemoryStorage | undefined, options);

export class Overlays {
  readonly face: FaceKind;
  readonly engine: EngineKind;
  readonly random: Random;
  #tags = 1;

  constructor(face: FaceKind, engine: EngineKind, random: Random) {
    this.face = face;
    this.engine = engine;
    this.random = random;
  }

  size(most = 80): number {
    return UNIT * (1 + below(this.random, most));
  }

  /** Bytes with data and zeros in them. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = patternBytes(this.#tags++, length);
    for (let at = 0; at < length; at += UNIT) if (this.random() < 0.4) bytes.fill(0, at, at + UNIT);
    return bytes;
  }

  /** Something to stand on, of a size, that can be written. */
  async base(kind: BaseKind, size: number): Promise<Beneath> {
    const content = this.bytes(size);
    if (kind === "raw") return { base: new MemoryStorage(content), content };
    if (kind === "device") return { base: await this.#raw(content), content };
    if (kind === "joined") {
      const cut = UNIT * below(this.random, size / UNIT);
      const parts = [await this.#raw(content.subarray(0, cut)), await this.#raw(content.subarray(cut))];
      return { base: this.face === "async" ? joinDevices(parts as []) : joinDevicesSync(parts as []), content };
    }
    if (kind === "parallels") {
      const disk = await this.disk(size, undefined);
      await this.scribble(disk, content.fill(0), below(this.random, 6));
      return { base: disk, content };
    }
    const below_ = await this.base("raw", this.size());
    const disk = await this.disk(size, below_.base);
    content.fill(0).set(below_.content.subarray(0, size));
    await this.scribble(disk, content, below(this.random, 6));
    return { base: disk, content };
  }

  /** A new disk of some cluster size. */
  disk(size: number, base: AnyBase | undefined, storage: Storage = new MemoryStorage()): Promise<AnyDisk> {
    const clusterSize = CLUSTER_SIZES[below(this.random, CLUSTER_SIZES.length)];
    const format = this.random() < 0.5 ? "v1" : "v2";
    const { engine } = this;
    return createDisk(this.face, storage, { size, clusterSize, format, engine, ...(base && { base }) });
  }

  /** Writes and clears here and there, in a disk and in what it is to read as. */
  async scribble(disk: AnyDisk, model: Uint8Array, times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      const offset = UNIT * below(this.random, disk.size / UNIT);
      const length = Math.min(disk.size - offset, UNIT * (1 + below(this.random, 12)));
      if (this.random() < 0.25) {
        await disk.writeZeroes(offset, length);
        model.fill(0, offset, offset + length);
      } else {
        const bytes = this.bytes(length);
        await disk.write(bytes, offset);
        model.set(bytes, offset);
      }
      if (this.random() < 0.2) await disk.flush();
    }
  }

  async #raw(content: Uint8Array): Promise<AnyDevice> {
    const storage = new MemoryStorage(content);
    return this.face === "async" ? rawDevice(storage) : rawDeviceSync(storage);
  }
}

/** `bytes` as a disk of this size over it reads: cut, or with zeros behind. */
export function fitted(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  whole.set(bytes.subarray(0, size));
  return whole;
}

/** Everything a base holds, whatever it is. */
export async function contentOf(base: AnyBase): Promise<Uint8Array> {
  const size = typeof base.size === "number" ? base.size : await base.size();
  const bytes = new Uint8Array(size).fill(0xa5);
  await base.read(bytes, 0);
  return bytes;
}
