/**
 * Files of Node, in both faces. Offsets go to the system as they are, so files beyond 2 GiB work; one call moves at
 * most 1 GiB, as the system's limit lies just below 2 GiB (a short transfer, which callers handle anyway).
 */
import * as fs from "node:fs";
import { BEGIN, type Ended } from "./begin.js";
import { FileHandle, type FileOptions } from "./file-handle.js";
import { native } from "./native.js";
import type { Storage, StorageSync } from "./storage.js";

export type { FileOptions } from "./file-handle.js";

const MAX_TRANSFER = 2 ** 30;

/** The synchronous file: quickest per request. Serves both faces, but blocks the event loop. */
export class FileStorageSync extends FileHandle implements StorageSync {
  /** @throws DiskError NOT_FOUND, EXISTS, IS_DIRECTORY, PERMISSION, IN_USE, UNSUPPORTED, IO */
  static open(path: string, options: FileOptions = {}): FileStorageSync {
    return new FileStorageSync(path, options);
  }

  read(buffer: Uint8Array, offset: number): number {
    return fs.readSync(this.fd, buffer, 0, Math.min(buffer.length, MAX_TRANSFER), offset);
  }

  write(buffer: Uint8Array, offset: number): number {
    return fs.writeSync(this.fd, buffer, 0, Math.min(buffer.length, MAX_TRANSFER), offset);
  }

  size(): number {
    return fs.fstatSync(this.fd).size;
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.fd, size);
  }

  flush(): void {
    fs.fsyncSync(this.fd);
  }

  close(): void {
    fs.closeSync(this.release());
  }
}

/** The asynchronous file: requests run in libuv's thread pool. */
export class FileStorage extends FileHandle implements Storage {
  /** @throws DiskError NOT_FOUND, EXISTS, IS_DIRECTORY, PERMISSION, IN_USE, UNSUPPORTED, IO */
  static async open(path: string, options: FileOptions = {}): Promise<FileStorage> {
    return new FileStorage(path, options);
  }

  /** Requests that the system works on: until they end, the descriptor is theirs. */
  #underWay = 0;
  #onIdle = () => {};

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => this.#transfer("read", buffer, offset, resolve, reject));
  }

  write(buffer: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => this.#transfer("write", buffer, offset, resolve, reject));
  }

  /** @internal */
  [BEGIN](verb: "read" | "write", buffer: Uint8Array, offset: number, ended: Ended): boolean {
    if (this[verb] !== FileStorage.prototype[verb]) return false; // it was overridden
    this.#transfer(verb, buffer, offset, ended, (thrown) => ended(undefined, { thrown }));
    return true;
  }

  /** Reads what the page cache has, in this thread; undefined where that is nothing, or cannot be told. @internal */
  readCached(buffer: Uint8Array, offset: number): number | undefined {
    const calls = native();
    return typeof calls === "string" ? undefined : calls.readCached(this.fd, buffer, offset);
  }

  /** Writes in this thread, which waits for it. @internal */
  writeNow(buffer: Uint8Array, offset: number): number {
    return fs.writeSync(this.fd, buffer, 0, Math.min(buffer.length, MAX_TRANSFER), offset);
  }

  async size(): Promise<number> {
    return fs.fstatSync(this.fd).size;
  }

  truncate(size: number): Promise<void> {
    return this.#request((done) => fs.ftruncate(this.fd, size, done));
  }

  flush(): Promise<void> {
    return this.#request((done) => fs.fsync(this.fd, done));
  }

  /**
   * Has the system begin to write what it holds of the file in memory. Nothing is durable by it, but a flush that comes
   * later has less to wait for. Without native calls it does nothing. @internal
   */
  async writeBack(): Promise<void> {
    const calls = native();
    if (typeof calls !== "string") await this.#request((done) => calls.writeBack(this.fd, done));
  }

  /** No request is taken any more; those under way end first, as the number of a closed file is the next one's. */
  async close(): Promise<void> {
    const fd = this.takeDescriptor();
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.unlock();
    await new Promise<void>((resolve, reject) => fs.close(fd, (error) => (error ? reject(error) : resolve())));
  }

  /** In the callback form: those of FileHandle in fs/promises cost some microseconds more a request. */
  #transfer(
    verb: "read" | "write",
    buffer: Uint8Array,
    offset: number,
    resolve: (moved: number) => void,
    reject: (error: Error) => void,
  ): void {
    const ended = (error: Error | null, moved: number) => {
      this.#ended();
      if (error) reject(error);
      else resolve(moved);
    };
    const length = Math.min(buffer.length, MAX_TRANSFER);
    if (verb === "read") fs.read(this.fd, buffer, 0, length, offset, ended);
    else fs.write(this.fd, buffer, 0, length, offset, ended);
    this.#underWay++; // now that it is: a closed file throws
  }

  /** One request less is under way. */
  #ended(): void {
    if (--this.#underWay === 0) this.#onIdle();
  }

  #request<T>(begin: (done: (error: Error | null, answer?: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      begin((error, answer) => {
        this.#ended();
        if (error) reject(error);
        else resolve(answer as T);
      });
      this.#underWay++; // now that it is: a closed file throws
    });
  }
}
