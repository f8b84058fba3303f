/** A folder in memory whose files answer only so many requests, all together. */
import type { FolderOpenOptions } from "../src/storage/folder.js";
import { forward } from "../src/storage/forward.js";
import { MemoryFolder } from "../src/storage/memory-folder.js";
import type { StorageSync } from "../src/storage/storage.js";
import { Fault } from "./fault.js";

/** Requests of one session with a bundle. */
const MOST_REQUESTS = 200_000;

export class BoundedFolder extends MemoryFolder {
  requests = 0;

  override open(name: string, options: FolderOpenOptions = {}): StorageSync {
    return forward(super.open(name, options), {}, () => this.#count());
  }

  override create(name: string): StorageSync {
    return forward(super.create(name), {}, () => this.#count());
  }

  /** An error that a storage throws becomes one of the request's, so it is asked for afterwards, too. */
  requireFew(): void {
    if (this.requests > MOST_REQUESTS) throw new Fault(`a bundle makes more than ${MOST_REQUESTS} requests`);
  }

  #count(): void {
    this.requests++;
    this.requireFew();
  }
}
