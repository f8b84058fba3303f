/**
 * A drive's track buffer: beside what a guest asks for it reads what comes next, and answers that at once when it is asked
 * for. Only before a disk that answers later: an emulator finds out about an answer when its time slice is over, whatever
 * the disk takes, and guests start with many small reads, one after the other. And only before one that tells whether
 * somebody else has changed it, or that nobody changes.
 */
import type { AnyDevice } from "../device/block-device.js";
import { isThenable } from "../promises.js";

/** Read ahead to a multiple of it: of what comes over the network no more than one block further is fetched. */
const TRACK = 256 * 1024;

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** The disk's, when it was asked. */
  readonly generation: number | undefined;
}

export class TrackBuffer {
  readonly #disk: AnyDevice;
  #kept: Piece | undefined;
  /** Whether the disk has answered later, and may so again. */
  #isLate = false;
  /** Counts what made bytes on the disk other ones. */
  #changes = 0;

  constructor(disk: AnyDevice) {
    this.#disk = disk;
  }

  /** The bytes, which are not to be changed. `alone`: nothing is being written, nor waits for it. */
  read(offset: number, length: number, alone: boolean): Uint8Array | Promise<Uint8Array> {
    const kept = this.#keptOf(offset, length);
    if (kept !== undefined) return kept;
    const { generation } = this.#disk;
    const bytes = new Uint8Array(alone && this.#isLate ? this.#lengthAhead(offset, length) : length);
    const answer: unknown = this.#disk.read(bytes, offset);
    if (!isThenable(answer)) return bytes;
    this.#isLate = true;
    return this.#whenRead({ offset, bytes, generation }, length, answer);
  }

  /** What is kept of these bytes is no longer true. */
  changed(offset: number, length: number): void {
    this.#changes++;
    if (this.#kept === undefined) return;
    const { offset: start, bytes } = this.#kept;
    if (start < offset + length && offset < start + bytes.length) this.#kept = undefined;
  }

  /** The bytes on the disk may all be other ones. */
  clear(): void {
    this.#changes++;
    this.#kept = undefined;
  }

  #keptOf(offset: number, length: number): Uint8Array | undefined {
    if (this.#kept === undefined || this.#kept.generation !== this.#disk.generation) return undefined;
    const start = offset - this.#kept.offset;
    return start >= 0 && start + length <= this.#kept.bytes.length
      ? this.#kept.bytes.subarray(start, start + length)
      : undefined;
  }

  #lengthAhead(offset: number, length: number): number {
    const { generation, readOnly } = this.#disk;
    if (length >= TRACK || (generation === undefined && !readOnly)) return length;
    return Math.min(Math.ceil((offset + length) / TRACK) * TRACK, this.#disk.size) - offset;
  }

  async #whenRead(piece: Piece, length: number, answer: PromiseLike<unknown>): Promise<Uint8Array> {
    const changes = this.#changes;
    const { offset, bytes } = piece;
    if (bytes.length === length) {
      await answer;
      return bytes;
    }
    try {
      await answer;
    } catch {
      // What nobody asked for may be what cannot be read.
      const asked = new Uint8Array(length);
      await this.#disk.read(asked, offset);
      return asked;
    }
    if (changes === this.#changes) this.#kept = piece;
    return bytes.subarray(0, length);
  }
}
