/**
 * A storage that takes its time, over one that can lose power: a request takes effect some time after it was made and is
 * answered some time after that, in any order among those in flight. A flush covers what was answered before it was
 * asked for, and nothing else: the least that a system promises. The order follows from the random numbers alone.
 */
import type { Storage } from "../../src/storage/storage.js";
import { below, type Random } from "../support/random.js";
import type { CrashStorage } from "./crash-storage.js";

export class LateStorage implements Storage {
  readonly #inner: CrashStorage;
  readonly #random: Random;
  /** What may happen next. */
  readonly #steps: (() => void)[] = [];
  /** Numbers of the requests that were answered. */
  readonly #answered: Set<number> = new Set();
  punch?: (offset: number, length: number) => Promise<void>;
  allocate?: (offset: number, length: number) => Promise<void>;

  constructor(inner: CrashStorage, random: Random) {
    this.#inner = inner;
    this.#random = random;
    const { punch, allocate } = inner;
    if (punch) this.punch = (offset, length) => this.#change(() => punch(offset, length));
    if (allocate) this.allocate = (offset, length) => this.#change(() => allocate(offset, length));
  }

  read(buffer: Uint8Array, offset: number): Promise<number> {
    return this.#later(() => this.#inner.read(buffer, offset));
  }

  write(buffer: Uint8Array, offset: number): Promise<number> {
    return this.#change(() => this.#inner.write(buffer, offset));
  }

  size(): Promise<number> {
    return this.#later(() => this.#inner.size());
  }

  truncate(size: number): Promise<void> {
    return this.#change(() => this.#inner.truncate(size));
  }

  flush(): Promise<void> {
    const covered = new Set(this.#answered);
    return this.#later(() => this.#inner.flush((request) => covered.has(request)));
  }

  close(): Promise<void> {
    return this.#later(() => this.#inner.close());
  }

  #change<T>(act: () => T): Promise<T> {
    let request: number;
    return this.#later(
      () => {
        request = this.#inner.requests + 1;
        return act();
      },
      () => this.#answered.add(request),
    );
  }

  /** Acts in one step, answers in a later one. */
  #later<T>(act: () => T, answering?: () => void): Promise<T> {
    return new Promise((resolve) => {
      this.#enqueue(() => {
        const answer = act();
        this.#enqueue(() => {
          answering?.();
          resolve(answer);
        });
      });
    });
  }

  #enqueue(step: () => void): void {
    this.#steps.push(step);
    if (this.#steps.length === 1) nextTurn(() => this.#turn());
  }

  /** One step a turn, so that what an answer makes the disk ask for is in the draw for the next. */
  #turn(): void {
    const [step] = this.#steps.splice(below(this.#random, this.#steps.length), 1);
    const idle = this.#steps.length === 0;
    step!();
    if (!idle) nextTurn(() => this.#turn());
  }
}

/** After all promises that are ready now: a browser has only the timer. */
const nextTurn: (then: () => void) => void = globalThis.setImmediate ?? ((then) => setTimeout(then, 0));
