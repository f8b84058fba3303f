/** Whole transfers over storages that may move fewer bytes than asked; their errors say what was tried. */
import { counted } from "../count.js";
import { DiskError, storageError } from "../errors.js";
import type { Storage } from "../storage/storage.js";
import { call, type Operation } from "./operation.js";

/** Anything that bytes can be read from. */
export type Readable = Pick<Storage, "read">;

/** Fills `buffer` from `offset`, or throws: a source that ends early is an IO error. */
export function* readFully(source: Readable, buffer: Uint8Array, offset: number): Operation<void> {
  const got = yield* readUpTo(source, buffer, offset);
  if (got < buffer.length) {
    throw new DiskError(
      "IO",
      `reading ${counted(buffer.length, "byte")} at ${offset} failed: the storage ended after ${got}`,
      {
        offset,
        expected: buffer.length,
        got,
      },
    );
  }
}

/** Reads until `buffer` is full or the source ends; answers how many bytes were read. */
export function* readUpTo(source: Readable, buffer: Uint8Array, offset: number): Operation<number> {
  let done = 0;
  while (done < buffer.length) {
    const rest = done === 0 ? buffer : buffer.subarray(done);
    const at = offset + done;
    const got = yield* named(
      () => `reading ${counted(rest.length, "byte")} at ${at}`,
      () => source.read(rest, at),
    );
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** Writes the whole of `buffer` at `offset`, or throws. */
export function* writeFully(storage: Storage, buffer: Uint8Array, offset: number): Operation<void> {
  let done = 0;
  while (done < buffer.length) {
    const rest = done === 0 ? buffer : buffer.subarray(done);
    const at = offset + done;
    const doing = () => `writing ${counted(rest.length, "byte")} at ${at}`;
    const moved = yield* named(doing, () => storage.write(rest, at));
    if (moved === 0) throw new DiskError("IO", `${doing()} failed: the storage took no byte`, { offset: at });
    done += moved;
  }
}

const ZEROS = new Uint8Array(256 * 1024);

/** Writes zeros, from one shared buffer. */
export function* writeZeros(storage: Storage, offset: number, length: number): Operation<void> {
  for (let done = 0; done < length; done += ZEROS.length) {
    yield* writeFully(storage, ZEROS.subarray(0, Math.min(ZEROS.length, length - done)), offset + done);
  }
}

export const sizeOf = (storage: Storage): Operation<number> =>
  named(
    () => "asking for the size",
    () => storage.size(),
  );

export const truncate = (storage: Storage, size: number): Operation<void> =>
  named(
    () => `setting the size to ${counted(size, "byte")}`,
    () => storage.truncate(size),
  );

/** Takes real blocks for a range; answers why that is not possible here, or nothing where it is done. */
export function* allocate(storage: Storage, offset: number, length: number): Operation<string | undefined> {
  if (storage.allocate === undefined) return "this storage cannot allocate blocks ahead";
  try {
    yield* call(() => storage.allocate!(offset, length));
    return undefined;
  } catch (error) {
    if ((error as DiskError).code === "UNSUPPORTED") return (error as Error).message;
    throw storageError(`allocating ${counted(length, "byte")} at ${offset}`, error);
  }
}

export const flushStorage = (storage: Storage): Operation<void> =>
  named(
    () => "flushing",
    () => storage.flush(),
  );

export const closeStorage = (storage: Storage): Operation<void> =>
  named(
    () => "closing",
    () => storage.close(),
  );

/** A call whose errors say what was being done. */
function* named<T>(doing: () => string, request: () => T | PromiseLike<T>): Operation<T> {
  try {
    return yield* call(request);
  } catch (error) {
    throw storageError(doing(), error);
  }
}
