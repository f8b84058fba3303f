/** The options of both faces, and their defaults. */
import type { EngineKind } from "./engine/engine.js";
import type { Format } from "./format/header.js";
import type { BaseDisk } from "./operations/base.js";
import { type CreateSettings, requireCreatable } from "./operations/create.js";
import type { OpenSettings } from "./operations/open.js";
import type { PreallocationMode, RepairLevel } from "./operations/reports.js";
import type { Storage } from "./storage/storage.js";

/** How to open a disk. `Beneath` is what may lie beneath: what the face can read. */
export interface OpenOptions<Beneath = BaseDisk | Storage> {
  /** Opens for reading only: nothing is written, and damaged images open as far as they can be read. Default: what the storage allows. */
  readOnly?: boolean;
  /**
   * Which engine holds the tables. Default: WebAssembly, or plain TypeScript where the platform forbids it
   * (`disk.info.engine` says which). "wasm" insists, and throws where it cannot be had.
   */
  engine?: EngineKind;
  /**
   * What to mend in an image that is opened for writing: "leaks" frees space that nothing uses, "all" repairs damage as
   * well (see docs/safety.md; `disk.repaired` reports). Default "none": an image that was merely not closed cleanly is
   * taken over, a damaged one is refused.
   */
  repair?: RepairLevel | "none";
  /**
   * How the file grows as clusters are allocated: by at least `size` bytes at once, as real blocks ("falloc"), as a
   * mere size ("truncate"), or by just what is needed ("off"). Close gives back what was not used. Default: falloc by
   * 128 MiB where the storage can allocate blocks (`disk.info.preallocation` tells of a fallback), else off.
   */
  prealloc?: { mode: PreallocationMode; size?: number };
  /**
   * What shows where the image has nothing allocated: an open disk, or a storage with raw bytes; zeros follow its
   * end. Writing copies from it; it is never written and stays the caller's to close. Default: zeros.
   */
  base?: Beneath;
}

/** How to make a disk. */
export interface CreateOptions<Beneath = BaseDisk | Storage> extends Omit<OpenOptions<Beneath>, "readOnly"> {
  /** The disk's size in bytes: a multiple of 512. */
  size: number;
  /** In bytes, a multiple of 512. Default: 1 MiB, as Parallels Desktop and QEMU choose. */
  clusterSize?: number;
  /** Default "v2": QEMU's; "v1" is what Parallels Desktop itself writes, and reaches 2 TiB. */
  format?: Format;
}

export const DEFAULT_PREALLOCATION = 128 * 1024 * 1024;
export const DEFAULT_CLUSTER_SIZE = 1024 * 1024;
export const DEFAULT_FORMAT: Format = "v2";

export function openSettings(storage: Storage, options: OpenOptions, concurrent: boolean): OpenSettings {
  const { readOnly = storage.readOnly ?? false, engine, base, prealloc, repair = "none" } = options;
  requireEngine(engine);
  if (repair !== "none" && repair !== "leaks" && repair !== "all") {
    throw new RangeError(`repair: expected "none", "leaks" or "all", got ${JSON.stringify(repair)}`);
  }
  if (repair !== "none" && readOnly) throw new TypeError("repair: expected readOnly to be false, as repairing writes");
  return { readOnly, engine, base, concurrent, repair, preallocation: preallocationOf(storage, prealloc) };
}

const MODES: readonly PreallocationMode[] = ["falloc", "truncate", "off"];

function preallocationOf(storage: Storage, prealloc: OpenOptions["prealloc"]): OpenSettings["preallocation"] {
  const { mode, size = DEFAULT_PREALLOCATION } = prealloc ?? { mode: storage.allocate ? "falloc" : "off" };
  if (!MODES.includes(mode)) throw new RangeError(`prealloc.mode: expected one of ${MODES.join(", ")}, got ${mode}`);
  if (!Number.isSafeInteger(size) || size < 0)
    throw new RangeError(`prealloc.size: expected a number of bytes, got ${size}`);
  return { mode, size };
}

export function createSettings({
  size,
  clusterSize = DEFAULT_CLUSTER_SIZE,
  format = DEFAULT_FORMAT,
  engine,
}: CreateOptions): CreateSettings {
  const settings = { size, clusterSize, format };
  requireCreatable(settings);
  requireEngine(engine);
  return settings;
}

function requireEngine(engine: unknown): void {
  if (engine === undefined || engine === "wasm" || engine === "js") return;
  throw new RangeError(`engine: expected "wasm" or "js", got ${JSON.stringify(engine)}`);
}
