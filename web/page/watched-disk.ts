/** A disk as a machine uses it: counts what goes through, and knows whether all of it is kept. */
import type { BlockDevice } from "../../src/index.js";
import type { RemoteDisk } from "../../src/worker/connect.js";

/** Nothing was written; something is on its way to the disk; all is durable. */
export type Kept = "none" | "pending" | "kept";

export class WatchedDisk implements BlockDevice {
  readonly size: number;
  kept: Kept = "none";
  reads = 0;
  readBytes = 0;
  writes = 0;
  writtenBytes = 0;
  readonly #disk: RemoteDisk;
  readonly #onTraffic: () => void;

  constructor(disk: RemoteDisk, onTraffic: () => void) {
    this.#disk = disk;
    this.size = disk.size;
    this.#onTraffic = onTraffic;
  }

  async read(buffer: Uint8Array, offset: number): Promise<void> {
    await this.#disk.read(buffer, offset);
    this.reads++;
    this.readBytes += buffer.length;
    this.#onTraffic();
  }

  async write(buffer: Uint8Array, offset: number): Promise<void> {
    this.kept = "pending";
    this.writes++;
    this.writtenBytes += buffer.length;
    this.#onTraffic();
    await this.#disk.write(buffer, offset);
  }

  async flush(): Promise<void> {
    const { writes } = this;
    await this.#disk.flush();
    if (this.writes === writes && this.kept === "pending") this.kept = "kept";
    this.#onTraffic();
  }

  /** The disk stays open: it is the page's. */
  async close(): Promise<void> {
    await this.flush();
  }
}
