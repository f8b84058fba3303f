/**
 * Whole transfers over storages that may move fewer bytes than asked. What storages answer is checked on its way, and
 * errors say what was tried.
 */
import { partOf, requireKept } from "../buffers.js";
import { counted } from "../count.js";
import { DiskError, fieldOf, reasonOf, requestError } from "../errors.js";
import { call, type Operation } from "../operation.js";
import {
  type Answering,
  movedBytes,
  nameAnswered,
  runAnswered,
  sizeAnswered,
  storageName,
} from "../storage/answers.js";
import type { DataRange, Storage } from "../storage/storage.js";

/** Anything that bytes can be read from. */
export type Readable = Pick<Storage, "read"> & Answering;

/** Anything that bytes can be written to. */
type Writable = Pick<Storage, "write"> & Answering;

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
  const { length } = buffer;
  let done = 0;
  while (done < length) {
    const rest = partOf(buffer, done, length - done);
    const at = offset + done;
    const doing = () => `reading ${counted(length - done, "byte")} at ${at}`;
    const answer = yield* keeping(buffer, length, doing, () => source.read(rest, at));
    const got = movedBytes(source, "read", answer, length - done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** Asks for one byte: what answers in a way that cannot be used is found out while nothing has been changed. */
export function* ask(source: Readable, size: number): Operation<void> {
  yield* readUpTo(source, new Uint8Array(Math.min(1, size)), 0);
}

/** Writes the whole of `buffer` at `offset`, or throws; `length` is how long it was when the request was made. */
export function* writeFully(
  storage: Writable,
  buffer: Uint8Array,
  offset: number,
  length = buffer.length,
): Operation<void> {
  let done = 0;
  while (done < length) {
    const rest = partOf(buffer, done, length - done);
    const at = offset + done;
    const doing = () => `writing ${counted(length - done, "byte")} at ${at}`;
    const answer = yield* keeping(buffer, length, doing, () => storage.write(rest, at));
    const moved = movedBytes(storage, "write", answer, length - done);
    if (moved === 0) throw tookNothing(storage, doing(), at);
    done += moved;
  }
}

/** A transfer during which the caller's buffer must stay what it was: else that says more than any answer or error. */
function* keeping(buffer: Uint8Array, length: number, doing: () => string, request: () => unknown): Operation<unknown> {
  try {
    return yield* named(doing, request);
  } finally {
    requireKept(buffer, length);
  }
}

/** A storage that has no room left says so in an error, or, as Firefox's does, takes what fits and then nothing. */
function tookNothing(storage: Answering, doing: string, offset: number): DiskError {
  const message = `${doing} failed: ${storageName(storage)} took no byte, as one that is full: free some space`;
  return new DiskError("NO_SPACE", message, { offset });
}

const ZEROS = new Uint8Array(256 * 1024);

/** Writes zeros, from one shared buffer. */
export function* writeZeros(storage: Storage, offset: number, length: number): Operation<void> {
  for (let done = 0; done < length; done += ZEROS.length) {
    yield* writeFully(storage, ZEROS.subarray(0, Math.min(ZEROS.length, length - done)), offset + done);
  }
}

export function* sizeOf(storage: Storage): Operation<number> {
  const answer = yield* named(
    () => "asking for the size",
    () => storage.size(),
  );
  return sizeAnswered(storage, answer);
}

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
    if (fieldOf(error, "code") === "UNSUPPORTED") return reasonOf(error);
    throw requestError(`allocating ${counted(length, "byte")} at ${offset}`, error);
  }
}

/** The next run of bytes that may be anything but zero, of a storage that can tell. */
export function* nextData(storage: Storage, offset: number): Operation<DataRange | undefined> {
  const answer = yield* named(
    () => `looking for data from ${offset}`,
    () => storage.nextData!(offset),
  );
  return runAnswered(storage, answer, offset);
}

/** Saves bytes beside a storage that can; answers under which name. */
export function* saveBeside(storage: Storage, suffix: string, bytes: Uint8Array): Operation<string> {
  const answer = yield* named(
    () => `saving ${counted(bytes.length, "byte")} beside the image`,
    () => storage.saveBeside!(suffix, bytes),
  );
  return nameAnswered(storage, answer);
}

export const flushStorage = (storage: Storage): Operation<void> =>
  named(
    () => "flushing",
    () => storage.flush(),
  );

export const closeStorage = (storage: Pick<Storage, "close">): Operation<void> =>
  named(
    () => "closing",
    () => storage.close(),
  );

/** A call whose errors say what was being done. */
function* named<T>(doing: () => string, request: () => T | PromiseLike<T>): Operation<T> {
  try {
    return (yield request) as T; // `call` would be one more generator for each transfer
  } catch (error) {
    throw requestError(doing(), error);
  }
}
