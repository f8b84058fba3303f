/** What a copy-on-write disk stands on: any open disk, or a storage with raw bytes. */
import type { Storage } from "../storage/storage.js";
import type { Base } from "./image.js";
import type { Operation } from "./operation.js";
import { sizeOf } from "./transfer.js";

/** The part of a disk, of either face, that a disk above it needs. */
export interface BaseDisk {
  readonly size: number;
  readonly path?: string | undefined;
  read(buffer: Uint8Array, offset: number): void | Promise<void>;
}

/** Makes either kind readable in the same way. */
export function* baseOf(beneath: BaseDisk | Storage): Operation<Base> {
  if (!isDisk(beneath)) {
    return { size: yield* sizeOf(beneath), path: beneath.path, read: (buffer, offset) => beneath.read(buffer, offset) };
  }
  return {
    size: beneath.size,
    path: beneath.path,
    read: (buffer, offset) => {
      const done = beneath.read(buffer, offset);
      return done instanceof Promise ? done.then(() => buffer.length) : buffer.length;
    },
  };
}

function isDisk(beneath: BaseDisk | Storage): beneath is BaseDisk {
  return typeof beneath.size === "number";
}
