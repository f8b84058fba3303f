/** The options of both faces, and their defaults. */
import type { EngineKind } from "./engine/engine.js";
import type { Format } from "./format/header.js";
import type { BaseDisk } from "./operations/base.js";
import { type CreateSettings, requireCreatable } from "./operations/create.js";
import type { OpenSettings } from "./operations/open.js";
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

export const DEFAULT_CLUSTER_SIZE = 1024 * 1024;
export const DEFAULT_FORMAT: Format = "v2";

export function openSettings(storage: Storage, options: OpenOptions, concurrent: boolean): OpenSettings {
  const { readOnly = storage.readOnly ?? false, engine, base } = options;
  requireEngine(engine);
  return { readOnly, engine, base, concurrent };
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
