/**
 * The copy loop of `convert`. Several pieces are in flight: while one is written the next are read. Guest bytes are
 * read into the zero scanner's buffer, tested there and written from there. Writes begin in the order of their
 * offsets, so that a new image is contiguous.
 */
import { createZeroScanner } from "../index.js";
import type { Progress } from "./progress.js";
import type { Target } from "./target.js";
import { WINDOW_SIZE } from "./windows.js";

/** One is read, one written, one waits; more would only pass through more memory. */
const IN_FLIGHT = 3;

/** A range of guest bytes to copy, at most `WINDOW_SIZE` long. */
export interface Piece {
  offset: number;
  length: number;
}

/** A part of a piece, as it is written. */
interface Run extends Piece {
  zero: boolean;
}

/** What is copied to. One that reads as zeros where nothing was written needs no `zero`. */
export interface CopyTarget extends Pick<Target, "grain" | "write" | "watch"> {
  /** Makes a range read as zeros. */
  zero?(offset: number, length: number): Promise<void>;
}

/** Fills a buffer with the bytes of a piece. */
export type ReadPiece<P extends Piece> = (piece: P, buffer: Uint8Array) => Promise<void> | void;

/**
 * Copies pieces that come in order.
 * @param giveUp after a failure: ends the wait for a piece that may never come
 * @throws the first error, after all requests have ended
 */
export async function copy<P extends Piece>(
  pieces: AsyncIterable<P>,
  read: ReadPiece<P>,
  target: CopyTarget,
  progress: Progress,
  giveUp: () => void = () => {},
): Promise<void> {
  target.watch?.(progress);
  const copier = new Copier(pieces[Symbol.asyncIterator](), read, target, progress, giveUp);
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => copier.run(index * WINDOW_SIZE)));
  copier.requireDone();
}

class Copier<P extends Piece> {
  readonly #queue: AsyncIterator<P>;
  readonly #read: ReadPiece<P>;
  readonly #target: CopyTarget;
  readonly #progress: Progress;
  readonly #scanner = createZeroScanner(undefined, IN_FLIGHT * WINDOW_SIZE);
  /** Resolves when the writes of all pieces taken so far have begun. */
  #begun: Promise<void> = Promise.resolve();
  readonly #giveUp: () => void;
  #failed = false;
  #error: unknown;

  constructor(queue: AsyncIterator<P>, read: ReadPiece<P>, target: CopyTarget, progress: Progress, giveUp: () => void) {
    this.#queue = queue;
    this.#read = read;
    this.#target = target;
    this.#progress = progress;
    this.#giveUp = giveUp;
  }

  /** @throws the first error: those that came of giving up say less */
  requireDone(): void {
    if (this.#failed) throw this.#error;
  }

  /** Copies one piece after the other through the part of the buffer at `slot`, until one fails. */
  async run(slot: number): Promise<void> {
    try {
      for (;;) {
        const { value: piece, done } = await this.#queue.next();
        if (done || this.#failed) return;
        await allOf(await this.#beginPiece(piece, slot));
        this.#progress.update(piece.offset + piece.length);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#error = error;
    this.#giveUp();
  }

  /** Reads a piece and, when it is its turn, begins to write what is in it. */
  async #beginPiece(piece: P, slot: number): Promise<Promise<void>[]> {
    const turn = this.#begun;
    let pass = () => {};
    this.#begun = new Promise((resolve) => {
      pass = resolve;
    });
    try {
      await this.#read(piece, this.#scanner.buffer.subarray(slot, slot + piece.length));
      const runs = this.#runs(piece, slot);
      await turn;
      return this.#failed ? [] : runs.map((run) => this.#write(run, slot - piece.offset));
    } catch (error) {
      this.#fail(error); // before the next piece begins to be written
      throw error;
    } finally {
      pass();
    }
  }

  #write({ offset, length, zero }: Run, toSlot: number): Promise<void> {
    if (zero) return this.#target.zero?.(offset, length) ?? Promise.resolve();
    return this.#target.write(this.#scanner.buffer.subarray(offset + toSlot, offset + length + toSlot), offset);
  }

  /** The runs of blocks of a piece that are all zeros, and of those that are not. */
  #runs(piece: Piece, slot: number): Run[] {
    const { grain } = this.#target;
    const end = piece.offset + piece.length;
    const runs: Run[] = [];
    for (let offset = piece.offset; offset < end; ) {
      const length = Math.min(grain - (offset % grain), end - offset);
      const zero = this.#scanner.isZero(slot + offset - piece.offset, length);
      const last = runs[runs.length - 1];
      if (last?.zero === zero) last.length += length;
      else runs.push({ offset, length, zero });
      offset += length;
    }
    return runs;
  }
}

/** Waits for all, then throws the first error: buffers are in use until every request has ended. */
async function allOf(promises: Promise<void>[]): Promise<void> {
  const failure = (await Promise.allSettled(promises)).find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
