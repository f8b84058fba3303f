/**
 * A guest's writes on their way to a disk. Each is copied when it comes, as its buffer is used again at once; they are
 * made one after the other, in the guest's order, and one that fails stops the line: what is on the disk is always
 * what the guest had written up to some moment, with nothing later in it. That order is all a guest has here, since
 * its cache flushes never get this far.
 */
import { isThenable } from "../promises.js";

/** One write: `done` is called once it is on the disk, and never where it is not. */
export interface LineWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
  done: (() => void) | undefined;
}

/** Puts bytes on the disk, now or later. */
type Write = (bytes: Uint8Array, offset: number) => void | Promise<void>;

export class WriteLine {
  readonly #write: Write;
  readonly #onwritten: () => void;
  readonly #onstopped: (write: LineWrite, cause: unknown) => void;
  readonly #line: LineWrite[] = [];
  #running = false;
  /** Writes that came, and writes that are done, ever: `written` reaches what `accepted` was. */
  accepted = 0;
  written = 0;
  /** A write has failed and has not been made good: nothing moves until `resume`. */
  stopped = false;

  constructor(write: Write, onwritten: () => void, onstopped: (write: LineWrite, cause: unknown) => void) {
    this.#write = write;
    this.#onwritten = onwritten;
    this.#onstopped = onstopped;
  }

  get length(): number {
    return this.#line.length;
  }

  /** The bytes that are copied and not written yet. */
  get byteLength(): number {
    return this.#line.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  push(offset: number, bytes: Uint8Array, done: () => void): void {
    // Not `slice`, which does not copy a Buffer of Node.
    this.#line.push({ offset, bytes: new Uint8Array(bytes), done });
    this.accepted++;
    if (!this.#running && !this.stopped) void this.#run();
  }

  /** Tries the write again that stopped the line. */
  resume(): void {
    if (!this.#running && this.stopped) void this.#run();
  }

  /** What `written` must reach until every write that touches a range is on the disk. */
  lastTouching(offset: number, length: number): number {
    const last = this.#line.findLastIndex(
      (write) => write.offset < offset + length && offset < write.offset + write.bytes.length,
    );
    return last < 0 ? 0 : this.written + last + 1;
  }

  /** Nobody waits for these writes any more; they are made all the same. */
  forgetAnswers(): void {
    for (const write of this.#line) write.done = undefined;
  }

  /** Over a disk that answers at once, all of this happens at once. */
  async #run(): Promise<void> {
    this.#running = true;
    for (let write = this.#line[0]; write !== undefined; write = this.#line[0]) {
      try {
        const answer = this.#write(write.bytes, write.offset);
        if (isThenable(answer)) await answer;
      } catch (cause) {
        this.stopped = true;
        this.#running = false; // before anybody hears of it, and resumes at once
        this.#onstopped(write, cause);
        return;
      }
      this.#finish(write);
    }
    this.#running = false;
  }

  #finish(write: LineWrite): void {
    this.#line.shift();
    this.written++;
    this.stopped = false;
    try {
      write.done?.();
    } catch (error) {
      throwLater(error); // the emulator's own mistake: the line goes on
    }
    this.#onwritten();
  }
}

/** Throws where nobody catches it, as what must be seen and has no other way out. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
