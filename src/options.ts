/** The options of both faces, their defaults, and what is checked of them before anything is touched. */
import { type OptionNames, requireFlags, requireOptions } from "./caller-options.js";
import { isReadable } from "./device/answers.js";
import type { AnyDevice } from "./device/block-device.js";
import { requireKind } from "./engine/create.js";
import type { EngineKind } from "./engine/engine.js";
import { DiskError } from "./errors.js";
import type { Format } from "./format/header.js";
import { type NewDiskSettings, requireCreatable } from "./image/create.js";
import type { OpenSettings } from "./image/open.js";
import type { PreallocationMode, RepairLevel } from "./image/reports.js";
import { preallocationOf, requirePreallocation } from "./medium/preallocation.js";
import { quote } from "./printable.js";
import { storageName } from "./storage/answers.js";
import type { Storage } from "./storage/storage.js";

/** How to open a disk. `Beneath` is what may lie beneath: what the face can read. */
export interface OpenOptions<Beneath = AnyDevice | Storage> {
  /** Opens for reading only: nothing is written, and damaged images open as far as they can be read. Default: what the storage allows. */
  readOnly?: boolean;
  /**
   * Which engine holds the tables. Default: WebAssembly, or plain TypeScript where the platform forbids it
   * (`disk.info.engine` says which). "wasm" insists, and throws where it cannot be had.
   */
  engine?: EngineKind;
  /**
   * What to mend in an image that is opened for writing: "leaks" frees space that nothing uses; "all" repairs damage, and
   * frees such space only where there was none, as it may be what a wrong entry meant (see docs/safety.md;
   * `disk.repaired` reports). Default "none": an image that was merely not closed cleanly is taken over, a damaged one is
   * refused.
   */
  repair?: RepairLevel | "none";
  /**
   * How the file grows as clusters are allocated: by at least `size` bytes at once, as real blocks ("falloc"), as a
   * mere size ("truncate"), or by just what is needed ("off"). Close gives back what was not used. Default: falloc by
   * 128 MiB where the storage can allocate blocks (`disk.info.preallocation` tells of a fallback), else what the
   * storage itself suggests - truncate by 16 MiB in OPFS -, else off.
   */
  prealloc?: { mode: PreallocationMode; size?: number };
  /**
   * What shows where the image has nothing allocated: an open disk, or a storage with raw bytes; zeros follow its
   * end. Writing copies from it; it is never written and stays the caller's to close. Default: zeros.
   */
  base?: Beneath;
}

/** How to make a disk. */
export interface CreateOptions<Beneath = AnyDevice | Storage> extends Omit<OpenOptions<Beneath>, "readOnly"> {
  /** The disk's size in bytes: a multiple of 512. */
  size: number;
  /** In bytes, a multiple of 512. Default: 1 MiB, as Parallels Desktop and QEMU choose. */
  clusterSize?: number;
  /** Default "v2": QEMU's; "v1" is what Parallels Desktop itself writes, and reaches 2 TiB. */
  format?: Format;
}

export const DEFAULT_CLUSTER_SIZE = 1024 * 1024;
export const DEFAULT_FORMAT: Format = "v2";

export const OPEN_OPTIONS: OptionNames<OpenOptions> = {
  readOnly: true,
  engine: true,
  repair: true,
  prealloc: true,
  base: true,
};

const { readOnly: _, ...openedAsCreated } = OPEN_OPTIONS;
export const CREATE_OPTIONS: OptionNames<CreateOptions> = {
  ...openedAsCreated,
  size: true,
  clusterSize: true,
  format: true,
};

/** What an open disk needs to know. @throws TypeError, RangeError */
export function openSettings(storage: Storage, options: OpenOptions, concurrent: boolean): OpenSettings {
  requireOptions(options, OPEN_OPTIONS);
  requireValues(options);
  const { readOnly = storage.readOnly ?? false, engine, base, prealloc, repair = "none" } = options;
  if (repair !== "none" && readOnly) throw new TypeError("repair: expected readOnly to be false, as repairing writes");
  if (base === storage) throw new TypeError("base: expected another storage than that of the disk itself");
  return { readOnly, engine, base, concurrent, repair, preallocation: preallocationOf(storage, prealloc) };
}

/** The same for a disk that is only to be made. @throws TypeError, RangeError, DiskError READ_ONLY */
export function createSettings(storage: Storage, options: CreateOptions, concurrent: boolean): NewDiskSettings {
  requireNewDisk(options);
  const { size, clusterSize = DEFAULT_CLUSTER_SIZE, format = DEFAULT_FORMAT, ...opening } = options;
  if (storage.readOnly)
    throw new DiskError("READ_ONLY", `${storageName(storage)} cannot be written: no disk can be made in it`);
  return { create: { size, clusterSize, format }, open: openSettings(storage, opening, concurrent) };
}

/** Checks all that can be checked of a new disk's options while there is no storage. @throws TypeError, RangeError */
export function requireNewDisk(options: CreateOptions): void {
  requireOptions(options, CREATE_OPTIONS);
  const { size, clusterSize = DEFAULT_CLUSTER_SIZE, format = DEFAULT_FORMAT } = options;
  requireCreatable({ size, clusterSize, format });
  requireValues(options);
}

/** Checks all that can be checked of the options of opening while there is no storage. @throws TypeError, RangeError */
export function requireValues({ readOnly, engine, repair = "none", prealloc, base }: OpenOptions): void {
  requireFlags({ readOnly });
  requireKind(engine);
  if (repair !== "none" && repair !== "leaks" && repair !== "all")
    throw new RangeError(`repair: expected "none", "leaks" or "all", got ${quote(repair)}`);
  if (prealloc !== undefined) requirePreallocation(prealloc);
  if (base !== undefined && !isReadable(base))
    throw new TypeError(`base: expected an open disk, or a storage with raw bytes, got ${quote(base)}`);
}
