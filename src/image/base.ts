/** What a copy-on-write disk stands on: any open disk, or a storage with raw bytes. */

import { sizeOf } from "../medium/transfer.js";
import type { Operation } from "../operation.js";
import { isThenable } from "../promises.js";
import { sizeAnswered, storageName } from "../storage/answers.js";
import type { Storage } from "../storage/storage.js";
import type { Base } from "./image.js";

/** The part of a disk, of either face, that a disk above it needs. */
export interface BaseDisk {
  readonly size: number;
  readonly path?: string | undefined;
  read(buffer: Uint8Array, offset: number): void | Promise<void>;
}

/** Makes either kind readable in the same way. */
export function* baseOf(beneath: BaseDisk | Storage): Operation<Base> {
  const path = storageName(beneath);
  if (!isDisk(beneath))
    return { size: yield* sizeOf(beneath), path, read: (buffer, offset) => beneath.read(buffer, offset) };
  const read = (buffer: Uint8Array, offset: number) => {
    const { length } = buffer;
    const done: unknown = beneath.read(buffer, offset);
    return isThenable(done) ? Promise.resolve(done).then(() => length) : length;
  };
  return { size: sizeAnswered(beneath, beneath.size), path, read };
}

function isDisk(beneath: BaseDisk | Storage): beneath is BaseDisk {
  return typeof beneath.size === "number";
}
