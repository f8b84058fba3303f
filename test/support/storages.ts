/**
 * Storages that make a disk's life hard, around one that works. Nothing here is of Node: the contract suite runs in
 * browsers too.
 */
import type { Storage, StorageSync } from "../../src/storage/storage.js";
import { below, type Random } from "./random.js";

/** Passes everything on; holes and blocks ahead are left out. */
export class PassingStorage<Inner extends StorageSync = StorageSync> implements StorageSync {
  protected readonly inner: Inner;

  constructor(inner: Inner) {
    this.inner = inner;
  }

  read(buffer: Uint8Array, offset: number): number {
    return this.inner.read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): number {
    return this.inner.write(buffer, offset);
  }

  size(): number {
    return this.inner.size();
  }

  truncate(size: number): void {
    this.inner.truncate(size);
  }

  flush(): void {
    this.inner.flush();
  }

  close(): void {
    this.inner.close();
  }
}

/** Passes holes on, too. */
class Wrapper extends PassingStorage {
  punch(offset: number, length: number): void {
    punchIn(this.inner, offset, length);
  }
}

/** What is not punched must not be called so: it would keep its bytes. */
function punchIn(inner: StorageSync, offset: number, length: number): void {
  if (inner.punch === undefined) throw new Error("this storage cannot punch holes");
  inner.punch(offset, length);
}

/** Moves fewer bytes than asked, as the contract allows. */
export class ShortStorage extends Wrapper {
  readonly #random: Random;

  constructor(inner: StorageSync, random: Random) {
    super(inner);
    this.#random = random;
  }

  override read(buffer: Uint8Array, offset: number): number {
    return super.read(buffer.subarray(0, this.#part(buffer.length)), offset);
  }

  override write(buffer: Uint8Array, offset: number): number {
    return super.write(buffer.subarray(0, this.#part(buffer.length)), offset);
  }

  /** Mostly a good part, at times one byte; never nothing. */
  #part(length: number): number {
    if (this.#random() < 0.1) return Math.min(length, 1 + below(this.#random, 3));
    return Math.min(length, Math.max(1, Math.ceil(length * this.#random() * 1.2)));
  }
}

/** One change of a storage, or one reading of it. */
export interface Transfer {
  verb: "read" | "write" | "truncate" | "flush" | "punch" | "close";
  offset: number;
  length: number;
  buffer?: Uint8Array;
}

/** Writes down what is asked. */
export class SpyStorage extends Wrapper {
  transfers: Transfer[] = [];

  of(verb: Transfer["verb"]): Transfer[] {
    return this.transfers.filter((transfer) => transfer.verb === verb);
  }

  override read(buffer: Uint8Array, offset: number): number {
    this.transfers.push({ verb: "read", offset, length: buffer.length, buffer });
    return super.read(buffer, offset);
  }

  override write(buffer: Uint8Array, offset: number): number {
    this.transfers.push({ verb: "write", offset, length: buffer.length, buffer });
    return super.write(buffer, offset);
  }

  override truncate(size: number): void {
    this.transfers.push({ verb: "truncate", offset: size, length: 0 });
    super.truncate(size);
  }

  override flush(): void {
    this.transfers.push({ verb: "flush", offset: 0, length: 0 });
    super.flush();
  }

  override punch(offset: number, length: number): void {
    this.transfers.push({ verb: "punch", offset, length });
    super.punch(offset, length);
  }

  override close(): void {
    this.transfers.push({ verb: "close", offset: 0, length: 0 });
    super.close();
  }
}

/** Fails the test that changes it; remembers whether it was closed. */
export class UntouchableStorage extends Wrapper {
  closed = 0;

  override write(): never {
    throw new Error("a write reached a storage that must not be changed");
  }

  override truncate(): never {
    throw new Error("a truncate reached a storage that must not be changed");
  }

  override punch(): never {
    throw new Error("a punch reached a storage that must not be changed");
  }

  override close(): void {
    this.closed++;
    super.close();
  }
}

/** Fails changes when told to, sometimes halfway. */
export class FailingStorage extends Wrapper {
  readonly #random: Random;
  /** How likely each change is to fail. */
  likelihood = 0;

  constructor(inner: StorageSync, random: Random) {
    super(inner);
    this.#random = random;
  }

  override write(buffer: Uint8Array, offset: number): number {
    if (this.#fails()) {
      if (this.#random() < 0.5) super.write(buffer.subarray(0, below(this.#random, buffer.length)), offset);
      throw new InjectedError();
    }
    return super.write(buffer, offset);
  }

  override truncate(size: number): void {
    if (this.#fails()) throw new InjectedError();
    super.truncate(size);
  }

  #fails(): boolean {
    return this.#random() < this.likelihood;
  }
}

export class InjectedError extends Error {
  override readonly message = "injected";
}

/** Answers with promises; when, its heirs say. */
export abstract class LaterStorage implements Storage {
  readonly #inner: StorageSync;

  constructor(inner: StorageSync) {
    this.#inner = inner;
  }

  protected abstract later<T>(request: () => T): Promise<T>;

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return this.later(() => this.#inner.read(buffer, offset));
  }

  write(buffer: Uint8Array, offset: number): Promise<number> {
    return this.later(() => this.#inner.write(buffer, offset));
  }

  size(): Promise<number> {
    return this.later(() => this.#inner.size());
  }

  truncate(size: number): Promise<void> {
    return this.later(() => this.#inner.truncate(size));
  }

  flush(): Promise<void> {
    return this.later(() => this.#inner.flush());
  }

  punch(offset: number, length: number): Promise<void> {
    return this.later(() => punchIn(this.#inner, offset, length));
  }

  close(): Promise<void> {
    return this.later(() => this.#inner.close());
  }
}

/**
 * Answers later, and in another order than asked: each request takes effect when it is made, when it is answered, or
 * in between. The order follows from the random numbers alone, no clock is asked.
 */
export class ShuffledStorage extends LaterStorage {
  readonly #random: Random;
  readonly #pending: (() => void)[] = [];
  #running = false;
  /** The most requests that were under way at once. */
  deepest = 0;

  constructor(inner: StorageSync, random: Random) {
    super(inner);
    this.#random = random;
  }

  protected override later<T>(request: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const act = (): (() => void) => {
        try {
          const answer = request();
          return () => resolve(answer);
        } catch (error) {
          return () => reject(error);
        }
      };
      const kind = below(this.#random, 3);
      if (kind === 0) this.#enqueue(act());
      else if (kind === 1) this.#enqueue(() => act()());
      else this.#enqueue(() => this.#enqueue(act()));
    });
  }

  #enqueue(step: () => void): void {
    this.#pending.push(step);
    this.deepest = Math.max(this.deepest, this.#pending.length);
    if (this.#running) return;
    this.#running = true;
    nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#running = false;
    const [step] = this.#pending.splice(below(this.#random, this.#pending.length), 1);
    step?.();
    if (this.#pending.length > 0 && !this.#running) {
      this.#running = true;
      nextTurn(() => this.#turn());
    }
  }
}

/** After all promises that are ready now. */
const nextTurn: (then: () => void) => void = globalThis.setImmediate ?? turnsOfPort();

/** In a browser: its timers wait for milliseconds, its message ports do not. */
function turnsOfPort(): (then: () => void) => void {
  const steps: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => steps.shift()!();
  return (then) => {
    steps.push(then);
    port2.postMessage(undefined);
  };
}
