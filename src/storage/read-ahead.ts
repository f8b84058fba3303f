/**
 * Finds readers that go forward, several at once, and says how far to read ahead of each. The window doubles while a
 * reader goes on, as its next bytes become likelier to be wanted, and is asked for anew when half of it is used up:
 * few large requests, made before their bytes are needed.
 */

/** Readers that are followed at once: a guest reads a file, its directory and the log of its file system. */
const MAX_STREAMS = 8;
/** Short reads that must follow on each other first: a header and the table behind it are no stream. */
const MIN_STEPS = 2;

interface Stream {
  /** Where its next read is expected. */
  next: number;
  steps: number;
  /** Bytes that these steps read. */
  read: number;
  /** Bytes to be ahead of the reader. */
  window: number;
  /** Up to where bytes were asked for. */
  ahead: number;
}

export class ReadAhead {
  readonly #blockSize: number;
  readonly #maxWindow: number;
  /** The one that moved last comes first. */
  #streams: Stream[] = [];

  /** In bytes; a window of 0 never reads ahead. */
  constructor(blockSize: number, maxWindow: number) {
    this.#blockSize = blockSize;
    this.#maxWindow = maxWindow;
  }

  /** Notes a read; answers the offset up to which to read ahead, or 0. */
  advance(offset: number, length: number): number {
    const end = offset + length;
    // Small gaps are passed over, as file systems leave them.
    const index = this.#streams.findIndex(({ next }) => offset >= next && offset <= next + this.#blockSize);
    if (index < 0) {
      this.#begin(end);
      return 0;
    }
    const [stream] = this.#streams.splice(index, 1) as [Stream];
    this.#streams.unshift(stream);
    return this.#step(stream, length, end);
  }

  #begin(end: number): void {
    // Reading the same bytes again is no new reader.
    if (this.#streams.some(({ next }) => next === end)) return;
    this.#streams.unshift({ next: end, steps: 0, read: 0, window: this.#blockSize / 2, ahead: this.#roundUp(end) });
    if (this.#streams.length > MAX_STREAMS) this.#streams.pop();
  }

  #step(stream: Stream, length: number, end: number): number {
    stream.next = end;
    stream.ahead = Math.max(stream.ahead, this.#roundUp(end));
    stream.steps++;
    stream.read += length;
    const proven = stream.steps >= MIN_STEPS || stream.read >= this.#blockSize;
    if (!proven || stream.ahead - end > stream.window / 2 || this.#maxWindow === 0) return 0;
    stream.window = Math.min(2 * stream.window, this.#maxWindow);
    stream.ahead = Math.max(stream.ahead, this.#roundUp(end + stream.window));
    return stream.ahead;
  }

  #roundUp(offset: number): number {
    return Math.ceil(offset / this.#blockSize) * this.#blockSize;
  }
}
