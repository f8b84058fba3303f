/** The device of raw bytes: a storage that is a disk byte for byte. */
import { CallerMistake } from "../errors.js";
import {
  closeStorage,
  flushStorage,
  nextData,
  readFully,
  sizeOf,
  truncate,
  writeFully,
  writeZeros,
} from "../medium/transfer.js";
import { call, type Operation } from "../operation.js";
import { requireLimit, requireRange } from "../requests.js";
import { storageName } from "../storage/answers.js";
import type { Storage } from "../storage/storage.js";
import { type Extent, STATUS_LIMIT } from "./block-device.js";
import { appendRun, type Verbs } from "./verbs.js";

/** Makes a device of a storage, which stays its owner's until the device is closed. */
export function* rawVerbs(storage: Storage): Operation<Verbs> {
  const reading = new RawReader(storage, yield* sizeOf(storage));
  return storage.readOnly ? reading : new RawWriter(storage, reading.size);
}

class RawReader implements Verbs {
  size: number;
  readonly readOnly: boolean = true;
  protected readonly storage: Storage;

  constructor(storage: Storage, size: number) {
    this.storage = storage;
    this.size = size;
  }

  get path(): string {
    return storageName(this.storage);
  }

  *read(buffer: Uint8Array, offset: number): Operation<void> {
    requireRange(this.size, offset, buffer.length);
    yield* readFully(this.storage, buffer, offset);
  }

  /** Data and holes of the storage, where it can tell. */
  *status(offset = 0, length = this.size - offset, limit = STATUS_LIMIT): Operation<Extent[]> {
    requireRange(this.size, offset, length);
    requireLimit(limit);
    const runs: Extent[] = [];
    const end = offset + length;
    const add = (to: number, kind: Extent["kind"]) => {
      if (to > offset) appendRun(runs, { offset, length: to - offset, kind, layer: 0, fileOffset: offset });
      offset = Math.max(offset, to);
    };
    while (offset < end && runs.length < limit) {
      const data = this.storage.nextData ? yield* nextData(this.storage, offset) : { start: offset, end };
      add(Math.min(data?.start ?? end, end), "zero");
      add(Math.min(data?.end ?? end, end), "data");
    }
    return runs.slice(0, limit);
  }

  close(): Operation<void> {
    return closeStorage(this.storage);
  }
}

class RawWriter extends RawReader {
  override readonly readOnly = false;
  #punches = this.storage.punch !== undefined;

  *write(buffer: Uint8Array, offset: number): Operation<void> {
    requireRange(this.size, offset, buffer.length);
    yield* writeFully(this.storage, buffer, offset);
  }

  *writeZeroes(offset: number, length: number): Operation<void> {
    requireRange(this.size, offset, length);
    if (length > 0 && !(yield* this.#punch(offset, length))) yield* writeZeros(this.storage, offset, length);
  }

  *discard(offset: number, length: number): Operation<void> {
    requireRange(this.size, offset, length);
    if (length > 0) yield* this.#punch(offset, length);
  }

  flush(): Operation<void> {
    return flushStorage(this.storage);
  }

  *resize(size: number): Operation<void> {
    yield* truncate(this.storage, size);
    this.size = size;
  }

  *#punch(offset: number, length: number): Operation<boolean> {
    if (!this.#punches) return false;
    try {
      yield* call(() => this.storage.punch?.(offset, length));
      return true;
    } catch (error) {
      if (error instanceof CallerMistake) throw error;
      this.#punches = false;
      return false;
    }
  }
}
