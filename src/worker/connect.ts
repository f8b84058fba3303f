/** The end that uses the disk: the verbs of `Disk`, performed in the worker that serves it. */

import { requireKept, takeBuffer } from "../buffers.js";
import { requireOptions, requireSignal } from "../caller-options.js";
import type { BlockDevice, Extent } from "../device/block-device.js";
import { DiskError } from "../errors.js";
import type { Format } from "../format/header.js";
import type { DiskInfo } from "../image/info.js";
import type { CheckReport, RepairLevel, RepairReport } from "../image/reports.js";
import { closedError, requireRange } from "../requests.js";
import { Connection } from "./connection.js";
import type { Port, Properties } from "./protocol.js";

export interface ConnectOptions {
  /** Gives up waiting for the worker to serve a disk. Default: waits until it does, or fails to start. */
  signal?: AbortSignal;
}

/**
 * Connects to a disk that `serveDisk` serves at the other end of a port.
 *
 * ```js
 * const disk = await connectDisk(new Worker("disk-worker.js", { type: "module" }));
 * ```
 *
 * @param port a Worker, or a MessagePort that leads to one; other messages may go the same way
 * @throws the error that opening the disk ended with there; DiskError DISCONNECTED where the worker fails to start
 */
export async function connectDisk(port: Port, options: ConnectOptions = {}): Promise<RemoteDisk> {
  requireOptions(options, { signal: true });
  const { signal } = options;
  requireSignal(signal);
  signal?.throwIfAborted();
  const connection = new Connection(port);
  const giveUp = () => connection.end(signal!.reason);
  signal?.addEventListener("abort", giveUp);
  try {
    return new RemoteDisk(connection, await connection.properties);
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

/**
 * A disk in a worker. Any number of requests may be under way; overlapping ones take effect one after the other. When
 * the worker ends, however it does, those under way and all later ones reject with a DiskError DISCONNECTED.
 */
export class RemoteDisk implements BlockDevice {
  readonly #connection: Connection;
  readonly #properties: Properties;

  /** @internal */
  constructor(connection: Connection, properties: Properties) {
    this.#connection = connection;
    this.#properties = properties;
  }

  /** The disk's size in bytes. */
  get size(): number {
    return this.#properties.size;
  }

  /** Bytes per cluster, the unit of allocation. */
  get clusterSize(): number {
    return this.#properties.clusterSize;
  }

  /** Clusters that the BAT can map. */
  get clusterCount(): number {
    return this.#properties.clusterCount;
  }

  /** Guest data that the image itself holds, in whole clusters, as of the last answer. */
  get allocatedBytes(): number {
    return this.#connection.allocatedBytes;
  }

  /** The version of the format; absent for a disk that is no single Parallels image. */
  get format(): Format | undefined {
    return this.#properties.format;
  }

  get readOnly(): boolean {
    return this.#properties.readOnly;
  }

  /** The name of the storage it stands on, where that has one. */
  get path(): string | undefined {
    return this.#properties.path;
  }

  /** Everything else there is to know, when the worker has answered. */
  get info(): Promise<DiskInfo> {
    return this.#connection.request("info", {});
  }

  /** Fills `buffer` with the bytes at `offset`. @throws RangeError beyond the disk; DiskError as `Disk.read` */
  async read(buffer: Uint8Array, offset: number): Promise<void> {
    const target = this.#require(buffer, offset);
    const { length } = target;
    const { spares } = this.#connection;
    const spare = spares.take(length);
    const given = spare === undefined ? { offset, length } : { offset, length, spare };
    const bytes = await this.#connection.request("read", given, spare && [spare]);
    requireKept(target, length);
    target.set(bytes);
    spares.give(bytes.buffer);
  }

  /** Stores the bytes of `buffer` at `offset`; the buffer is copied before this returns. Durable after `flush`. */
  async write(buffer: Uint8Array, offset: number): Promise<void> {
    const source = this.#require(buffer, offset);
    const { length } = source;
    const copy = new Uint8Array(this.#connection.spares.take(length) ?? new ArrayBuffer(length), 0, length);
    copy.set(source);
    return this.#connection.request("write", { offset, buffer: copy }, [copy.buffer]);
  }

  /** Makes `length` bytes from `offset` read as zeros, as `Disk.writeZeroes`. */
  async writeZeroes(offset: number, length: number): Promise<void> {
    this.#requireRange(offset, length);
    return this.#connection.request("writeZeroes", { offset, length });
  }

  /** Gives up `length` bytes from `offset`, as `Disk.discard`. */
  async discard(offset: number, length: number): Promise<void> {
    this.#requireRange(offset, length);
    return this.#connection.request("discard", { offset, length });
  }

  /** Resolves when every write that resolved before this call survives a loss of power. */
  async flush(): Promise<void> {
    return this.#connection.request("flush", {});
  }

  /** What lies where in `length` bytes from `offset` (default: to the disk's end), or the first `limit` runs of it. */
  async status(offset = 0, length = this.size - offset, limit?: number): Promise<Extent[]> {
    this.#requireRange(offset, length);
    return this.#connection.request("status", { offset, length, limit });
  }

  /** Looks for damage and waste without changing anything. */
  async check(): Promise<CheckReport> {
    return this.#connection.request("check", {});
  }

  /** Frees space that nothing uses, as `Disk.repair`. */
  async repair(level: RepairLevel): Promise<RepairReport> {
    return this.#connection.request("repair", { level });
  }

  /** Closes the disk and the connection; the worker stays. Where that fails the disk stays open, as with `Disk.close`. */
  async close(): Promise<void> {
    return this.#leave("close");
  }

  /** Closes the storage and nothing else: what was not flushed is lost. */
  async abandon(): Promise<void> {
    if (isDisconnected(this.#connection.endedBy)) return; // there is nothing left to give up
    return this.#leave("abandon");
  }

  /** `close`; where that fails `abandon`, so that no handle is left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close();
    } finally {
      await this.abandon();
    }
  }

  async #leave(verb: "close" | "abandon"): Promise<void> {
    try {
      await this.#connection.request(verb, {});
      this.#connection.end(closedError());
    } catch (error) {
      if (!(error instanceof DiskError && error.code === "CLOSED")) throw error; // closing twice is no error
    }
  }

  /** The caller's mistakes are told here: nothing is copied for a request that cannot be. */
  #require(buffer: Uint8Array, offset: number): Uint8Array {
    const taken = takeBuffer(buffer);
    this.#requireRange(offset, taken.length);
    return taken;
  }

  #requireRange(offset: number, length: number): void {
    if (this.#connection.endedBy !== undefined) throw this.#connection.endedBy;
    requireRange(this.size, offset, length);
  }
}

function isDisconnected(error: unknown): boolean {
  return error instanceof DiskError && error.code === "DISCONNECTED";
}
