/**
 * A storage in memory whose device is full at some point, and which answers only so many requests: what an image makes the
 * engine do is bounded, whatever it claims.
 */
import { DiskError } from "../src/errors.js";
import { MemoryStorage } from "../src/storage/memory.js";
import { Fault } from "./fault.js";

/** The bytes of a device. */
const ROOM = 4 * 1024 * 1024;
/** Requests of one disk, from opening it to closing it. */
const MOST_REQUESTS = 20_000;

export class BoundedStorage extends MemoryStorage {
  requests = 0;
  /** Requests that change it. */
  changes = 0;
  /** A request failed as there was no room. */
  wasFull = false;

  override read(buffer: Uint8Array, offset: number): number {
    this.#count();
    return super.read(buffer, offset);
  }

  override write(buffer: Uint8Array, offset: number): number {
    this.#change(offset + buffer.length);
    return super.write(buffer, offset);
  }

  override truncate(size: number): void {
    this.#change(size);
    super.truncate(size);
  }

  override punch(offset: number, length: number): void {
    this.#change(0);
    super.punch(offset, length);
  }

  override flush(): void {
    this.#count();
    super.flush();
  }

  /** An error that a storage throws becomes one of the request's, so it is asked for afterwards, too. */
  requireFew(): void {
    if (this.requests > MOST_REQUESTS) throw new Fault(`a disk makes more than ${MOST_REQUESTS} requests`);
  }

  #count(): void {
    this.requests++;
    this.requireFew();
  }

  #change(end: number): void {
    this.#count();
    this.changes++;
    if (end <= Math.max(ROOM, this.size())) return;
    this.wasFull = true;
    throw new DiskError("NO_SPACE", `no space is left: ${end} bytes on a device of ${ROOM}`);
  }
}
