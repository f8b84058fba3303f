/**
 * Disks for emulators that run in a worker and wait for no promise: the object that Infinite Mac's disks are, and a
 * file in an Emscripten program's file system. What the emulator sees of an error is what a drive would tell it.
 */

import { requireOptions } from "../caller-options.js";
import { counted } from "../count.js";
import type { BlockDeviceSync } from "../device/block-device.js";
import { type DiskError, storageError } from "../errors.js";
import { requireSync, writeTo } from "./sync-beneath.js";

export {
  type CreateDiskFileOptions,
  createDiskFile,
  type EmscriptenFS,
  type EmscriptenNode,
  type EmscriptenStream,
} from "./emscripten.js";

export interface SyncDiskOptions {
  /** What the emulator shows. Default: the name of the image's file, or "disk". */
  name?: string | undefined;
  /**
   * Called when a request fails; the emulator is told that nothing was moved. Default: the error is thrown, into the
   * emulator.
   */
  onerror?: ((error: DiskError) => void) | undefined;
}

/** A disk as Infinite Mac takes it. Offsets and lengths in bytes; buffers are views of the emulator's memory. */
export class SyncDisk {
  readonly name: string;
  readonly size: number;
  readonly #disk: BlockDeviceSync;
  readonly #onerror: ((error: DiskError) => void) | undefined;

  /** @throws TypeError for a disk that answers with promises */
  constructor(disk: BlockDeviceSync, options: SyncDiskOptions = {}) {
    requireOptions(options, { name: true, onerror: true });
    const { name, onerror } = options;
    requireSync(disk);
    this.name = name ?? disk.path?.split(/[/\\]/).pop() ?? "disk";
    this.size = disk.size;
    this.#disk = disk;
    this.#onerror = onerror;
  }

  /** Answers how many bytes were read: fewer at the disk's end, 0 where it failed. */
  read(buffer: Uint8Array, offset: number, length: number): number {
    return this.#move("reading", buffer, offset, length);
  }

  /** Answers how many bytes were written: fewer at the disk's end, 0 where it failed. Durable after the disk's `flush`. */
  write(buffer: Uint8Array, offset: number, length: number): number {
    return this.#move("writing", buffer, offset, length);
  }

  #move(verb: "reading" | "writing", buffer: Uint8Array, offset: number, length: number): number {
    const bytes = buffer.subarray(0, Math.max(0, Math.min(length, this.size - offset)));
    if (bytes.length === 0) return 0;
    try {
      if (verb === "reading") this.#disk.read(bytes, offset);
      else writeTo(this.#disk, bytes, offset);
      return bytes.length;
    } catch (cause) {
      const error = storageError(`${verb} ${counted(bytes.length, "byte")} at ${offset}`, cause, {
        offset,
        length: bytes.length,
      });
      if (!this.#onerror) throw error;
      this.#onerror(error);
      return 0;
    }
  }
}
