/**
 * What a disk stands on: a growable array of bytes. A storage moves bytes and knows nothing of disks.
 *
 * Transfers may be short: `read` and `write` answer how many bytes they moved, and the disk asks again for
 * the rest. A read at or past the end answers 0. Bytes that growth adds read as zeros. Every method may
 * throw (or reject); the disk passes the error on with its cause.
 */
export interface Storage {
  /** A name for messages: a path, a URL. */
  readonly path?: string;
  /** True where bytes cannot be changed; a disk on it is opened read-only. */
  readonly readOnly?: boolean;
  /** How other processes are kept out, where the storage knows of such. */
  readonly lock?: LockKind;
  /** Why the lock is not the system's. */
  readonly lockFallback?: string | undefined;
  /**
   * How the disk is to grow it where the opener does not say: see `OpenOptions.prealloc`. For storages that cannot
   * allocate blocks but whose flushes are slow, as each growth needs one.
   */
  readonly preallocation?: { mode: PreallocationMode; size: number };
  /** Reads up to `buffer.length` bytes at `offset` into `buffer`; answers how many (0 at the end). */
  read(buffer: Uint8Array, offset: number): number | Promise<number>;
  /** Writes up to `buffer.length` bytes at `offset`, growing the storage if need be; answers how many (at least 1). */
  write(buffer: Uint8Array, offset: number): number | Promise<number>;
  /** The length in bytes. */
  size(): number | Promise<number>;
  /** Makes the storage exactly `size` bytes long. */
  truncate(size: number): void | Promise<void>;
  /** Resolves when everything written, truncated or punched before is on stable media. */
  flush(): void | Promise<void>;
  /** Gives up the resources behind the storage. Does not flush. Further calls throw. */
  close(): void | Promise<void>;
  /** Makes sure that blocks are really there for the range, growing the storage if need be; contents do not change. */
  allocate?(offset: number, length: number): void | Promise<void>;
  /** Gives the range's blocks back: it reads as zeros afterwards, the size stays. */
  punch?(offset: number, length: number): void | Promise<void>;
  /** The next run of bytes from `offset` on that may be anything but zero; undefined where only zeros follow. */
  nextData?(offset: number): DataRange | undefined | Promise<DataRange | undefined>;
  /** Saves bytes durably beside the storage, under a name that `suffix` is part of; answers the name. */
  saveBeside?(suffix: string, bytes: Uint8Array): string | Promise<string>;
}

/** How a file is locked: by the system, which other software heeds, too; by files that say who has it; or not at all. */
export type LockKind = "system" | "file" | "none";

/** How files grow. `falloc` takes real blocks, `truncate` only sets the size, `off` grows by what is needed. */
export type PreallocationMode = "falloc" | "truncate" | "off";

/** A run of bytes, `end` not included. */
export interface DataRange {
  start: number;
  end: number;
}

/** A storage that answers at once. It serves both faces. */
export interface StorageSync extends Storage {
  read(buffer: Uint8Array, offset: number): number;
  write(buffer: Uint8Array, offset: number): number;
  size(): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
  allocate?(offset: number, length: number): void;
  punch?(offset: number, length: number): void;
  nextData?(offset: number): DataRange | undefined;
  saveBeside?(suffix: string, bytes: Uint8Array): string;
}
