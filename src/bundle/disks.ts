/** The disks of a bundle, in both faces: what a guest or a command is given. Any snapshot can be read, the top be written. */
// The declarations name Symbol.dispose: with this a consumer's `lib` need not have it.
/// <reference lib="esnext.disposable" preserve="true" />
import type { AnyDevice, BlockDevice, BlockDeviceSync, Extent } from "../device/block-device.js";
import { closedError, readOnlyError } from "../requests.js";
import { runAsync, runSync } from "../run.js";
import type { Live } from "./live.js";

abstract class Described {
  protected readonly live: Live;
  readonly path: string | undefined;

  /** @internal */
  constructor(live: Live, path: string | undefined) {
    this.live = live;
    this.path = path;
  }

  /** In bytes. */
  get size(): number {
    return this.live.segments.reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes per cluster, the unit of allocation. */
  get clusterSize(): number {
    return Math.max(...this.live.segments.map(({ clusterSize }) => clusterSize));
  }

  /** How many of them the disk has. */
  get clusterCount(): number {
    return this.live.segments.reduce((sum, { size, clusterSize }) => sum + Math.ceil(size / clusterSize), 0);
  }

  /** Guest data that the images on top hold, in whole clusters: what was written since the last snapshot. */
  get allocatedBytes(): number {
    return this.live.segments.reduce((sum, { top, size, clusterSize }) => {
      return sum + ("image" in top ? top.image.engine.allocatedCount * clusterSize : size);
    }, 0);
  }

  get readOnly(): boolean {
    return this.live.readOnly;
  }

  /** The snapshot that it shows. */
  get snapshot(): string {
    return this.live.guid;
  }

  protected requireOpen(): AnyDevice {
    if (this.live.closed) throw closedError();
    return this.live.device;
  }

  protected requireWritable(): AnyDevice {
    const device = this.requireOpen();
    if (this.live.readOnly) throw readOnlyError();
    return device;
  }
}

/** A disk of a bundle, with promises. */
export class BundleDisk extends Described implements BlockDevice {
  async read(buffer: Uint8Array, offset: number): Promise<void> {
    return this.#pass(() => this.requireOpen().read(buffer, offset));
  }

  async write(buffer: Uint8Array, offset: number): Promise<void> {
    return this.#pass(() => this.requireWritable().write?.(buffer, offset));
  }

  async writeZeroes(offset: number, length: number): Promise<void> {
    return this.#pass(() => this.requireWritable().writeZeroes?.(offset, length));
  }

  async discard(offset: number, length: number): Promise<void> {
    return this.#pass(() => this.requireWritable().discard?.(offset, length));
  }

  async flush(): Promise<void> {
    return this.#pass(() => (this.readOnly ? undefined : this.requireOpen().flush?.()));
  }

  /** What lies where, and in which layer: 0 is the image that is written, the last one the root. */
  async status(offset?: number, length?: number, limit?: number): Promise<Extent[]> {
    return this.#pass(() => this.requireOpen().status?.(offset, length, limit) ?? []);
  }

  async close(): Promise<void> {
    return runAsync(this.live.close());
  }

  /** Closes the files and nothing else: what was not flushed is lost. */
  async abandon(): Promise<void> {
    return runAsync(this.live.abandon());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #pass<T>(request: () => T | Promise<T>): Promise<T> {
    const { gate } = this.live;
    const asked = async () => request();
    return gate === undefined ? asked() : gate.pass(asked);
  }
}

/** A disk of a bundle that answers at once. */
export class BundleDiskSync extends Described implements BlockDeviceSync {
  read(buffer: Uint8Array, offset: number): void {
    this.#now(this.requireOpen()).read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): void {
    this.#now(this.requireWritable()).write?.(buffer, offset);
  }

  writeZeroes(offset: number, length: number): void {
    this.#now(this.requireWritable()).writeZeroes?.(offset, length);
  }

  discard(offset: number, length: number): void {
    this.#now(this.requireWritable()).discard?.(offset, length);
  }

  flush(): void {
    if (!this.readOnly) this.#now(this.requireOpen()).flush?.();
  }

  /** What lies where, and in which layer: 0 is the image that is written, the last one the root. */
  status(offset?: number, length?: number, limit?: number): Extent[] {
    return this.#now(this.requireOpen()).status?.(offset, length, limit) ?? [];
  }

  close(): void {
    runSync(this.live.close());
  }

  /** Closes the files and nothing else: what was not flushed is lost. */
  abandon(): void {
    runSync(this.live.abandon());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Of the synchronous face every device is one that answers at once. */
  #now(device: AnyDevice): BlockDeviceSync {
    return device as BlockDeviceSync;
  }
}
