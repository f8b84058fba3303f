/** A storage whose n-th request goes wrong, and that keeps account of what was asked of it. */
import type { MemoryStorage } from "../../src/storage/memory.js";
import type { StorageSync } from "../../src/storage/storage.js";

export type Verb = "read" | "write" | "size" | "truncate" | "flush" | "punch" | "allocate" | "close";

/**
 * What goes wrong. "EIO" and "ENOSPC": nothing was done. "half": a part of a write was done before it failed. "late": all
 * was done, and only the answer is an error. "short": fewer bytes were moved than asked, which is no error.
 * "wild": nothing was done, and the answer is none that a storage may give.
 */
export type FaultKind = "EIO" | "ENOSPC" | "half" | "late" | "short" | "wild";

const FAULT_KINDS: readonly FaultKind[] = ["EIO", "ENOSPC", "half", "late", "short", "wild"];

/** Chromium has answered the first for a write to a full device; that much is a size. */
const WILD: readonly unknown[] = [
  4294967288,
  undefined,
  Number.NaN,
  -1,
  0.5,
  "512",
  null,
  1n,
  Number.POSITIVE_INFINITY,
];

/** More requests than anything here makes of its storage. */
const LIMIT = 500;

/**
 * Runs `body` with every kind of fault in every place, as long as it answers that a request went wrong there; answers
 * how often one did. Errors name the fault.
 */
export async function eachFault(body: (kind: FaultKind, at: number) => Promise<boolean>): Promise<number> {
  let struck = 0;
  for (const kind of FAULT_KINDS) {
    for (let at = 1; at < LIMIT && (await named(`${kind} in request ${at}`, () => body(kind, at))); at++) struck++;
  }
  return struck;
}

async function named<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof Error) error.message = `${what}: ${error.message}`;
    throw error;
  }
}

/** The requests that can go wrong so; growing is what space can run out for, and writing into a hole. */
const STRIKES: Record<FaultKind, readonly Verb[]> = {
  EIO: ["read", "write", "size", "truncate", "flush", "punch", "allocate", "close"],
  ENOSPC: ["write", "truncate", "allocate"],
  half: ["write"],
  late: ["write", "truncate", "flush", "punch", "allocate"],
  short: ["read", "write"],
  wild: ["read", "write", "size"],
};

const HEADER_SIZE = 64;

export class FaultyStorage implements StorageSync {
  readonly memory: MemoryStorage;
  /** How often it was closed. */
  closes = 0;
  /** Requests after it was closed. */
  tooLate = 0;
  /** The request that went wrong. */
  struck: Verb | undefined;
  /** The error that was thrown for it. */
  error: Error | undefined;
  /** How often it answered wildly. */
  wild = 0;
  /** A flush failed while guest data or BAT blocks waited for it. */
  lost = false;
  #kind: FaultKind | undefined;
  #left = 0;
  #place = 0;
  #waiting: number;

  /** @param waiting writes that nobody flushed yet */
  constructor(memory: MemoryStorage, waiting = 0) {
    this.memory = memory;
    this.#waiting = waiting;
  }

  /** From now on the `at`-th request (from 1) that can go wrong so does, once. */
  arm(kind: FaultKind, at: number): void {
    this.#kind = kind;
    this.#left = at;
    this.#place = at;
  }

  disarm(): void {
    this.#kind = undefined;
  }

  read(buffer: Uint8Array, offset: number): number {
    return this.#request("read", (part = buffer) => this.memory.read(part, offset), partOf(buffer));
  }

  write(buffer: Uint8Array, offset: number): number {
    // The header alone can be written again, whatever became of it.
    if (offset + buffer.length > HEADER_SIZE) this.#waiting++;
    return this.#request("write", (part = buffer) => this.memory.write(part, offset), partOf(buffer));
  }

  size(): number {
    return this.#request("size", () => this.memory.size());
  }

  truncate(size: number): void {
    this.#request("truncate", () => this.memory.truncate(size));
  }

  flush(): void {
    try {
      this.#request("flush", () => {});
      this.#waiting = 0;
    } catch (error) {
      this.lost ||= this.#waiting > 0;
      throw error;
    }
  }

  punch(offset: number, length: number): void {
    this.#request("punch", () => this.memory.punch(offset, length));
  }

  allocate(offset: number, length: number): void {
    this.#request("allocate", () => {
      if (offset + length > this.memory.size()) this.memory.truncate(offset + length);
    });
  }

  close(): void {
    this.closes++;
    this.#request("close", () => {});
  }

  #request<T>(verb: Verb, act: (part?: Uint8Array) => T, part?: Uint8Array): T {
    if (this.closes > 0 && verb !== "close") this.tooLate++;
    const kind = this.#due(verb);
    if (kind === undefined) return act();
    this.struck = verb;
    if (kind === "short") return act(part);
    if (kind === "wild") return this.#wildly(verb);
    if (kind === "half") act(part);
    if (kind === "late") act();
    const code = kind === "ENOSPC" ? "ENOSPC" : "EIO";
    this.error = Object.assign(new Error(`${code}: injected, ${verb}`), { code });
    throw this.error;
  }

  #wildly<T>(verb: Verb): T {
    this.wild++;
    const choice = this.#place % WILD.length;
    return WILD[verb === "size" ? Math.max(1, choice) : choice] as T;
  }

  #due(verb: Verb): FaultKind | undefined {
    const kind = this.#kind;
    if (kind === undefined || !STRIKES[kind].includes(verb) || --this.#left > 0) return undefined;
    this.#kind = undefined;
    return kind;
  }
}

/** Half of a transfer; of a single byte that byte. */
function partOf(buffer: Uint8Array): Uint8Array {
  return buffer.subarray(0, Math.max(1, Math.floor(buffer.length / 2)));
}
