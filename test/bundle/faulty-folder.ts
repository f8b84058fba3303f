/** A folder of which one request fails, of its own or of any of its files: nothing was done then. Closing always closes. */
import type { FolderOpenOptions, FolderSync } from "../../src/storage/folder.js";
import { forward } from "../../src/storage/forward.js";
import type { MemoryFolder } from "../../src/storage/memory-folder.js";
import type { StorageSync } from "../../src/storage/storage.js";

const REQUESTS = ["read", "write", "size", "truncate", "flush"] as const;

export class FaultyFolder implements FolderSync {
  readonly #memory: MemoryFolder;
  #left = Number.POSITIVE_INFINITY;
  /** The request that failed. */
  struck: string | undefined;

  constructor(memory: MemoryFolder) {
    this.#memory = memory;
  }

  /** The `at`-th request from now on fails, once. */
  arm(at: number): void {
    this.#left = at;
  }

  disarm(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  list(): string[] {
    return this.#ask("list", () => this.#memory.list());
  }

  open(name: string, options?: FolderOpenOptions): StorageSync {
    return this.#faulty(
      name,
      this.#ask(`open ${name}`, () => this.#memory.open(name, options)),
    );
  }

  create(name: string): StorageSync {
    return this.#faulty(
      name,
      this.#ask(`create ${name}`, () => this.#memory.create(name)),
    );
  }

  rename(from: string, to: string): void {
    this.#ask(`rename ${from}`, () => this.#memory.rename(from, to));
  }

  remove(name: string): void {
    this.#ask(`remove ${name}`, () => this.#memory.remove(name));
  }

  sync(): void {
    this.#ask("sync", () => {});
  }

  /** Throws where a file is in use. */
  expectFree(): void {
    for (const name of this.#memory.list()) this.#memory.open(name).close();
  }

  #faulty(name: string, storage: StorageSync): StorageSync {
    const verbs = storage as unknown as Record<string, (...given: unknown[]) => unknown>;
    const faulty =
      (verb: string) =>
      (...given: unknown[]) =>
        this.#ask(`${verb} ${name}`, () => verbs[verb](...given));
    return forward(storage, Object.fromEntries(REQUESTS.map((verb) => [verb, faulty(verb)])));
  }

  #ask<T>(what: string, request: () => T): T {
    if (--this.#left > 0) return request();
    this.#left = Number.POSITIVE_INFINITY;
    this.struck = what;
    throw Object.assign(new Error(`EIO: injected, ${what}`), { code: "EIO" });
  }
}
