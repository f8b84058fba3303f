/**
 * A guest that does what v86's does, and worse: many requests at once, one buffer for all its writes that it changes
 * as soon as it is let, and a memory of what every sector must read as.
 */
import type { V86Disk } from "../../src/adapters/v86.js";
import { expectSame } from "../model/world.js";
import { below, patternBytes, type Random } from "../support/random.js";

const SECTOR = 512;

export class Guest {
  /** What the disk must read as, for whoever asks now. */
  readonly model: Uint8Array;
  readonly #drive: V86Disk;
  readonly #random: Random;
  readonly #buffer: Uint8Array;
  readonly #longest: number;
  #tag = 0;
  asked = 0;
  answered = 0;

  constructor(drive: V86Disk, random: Random, longest = 40) {
    this.#drive = drive;
    this.#random = random;
    this.#longest = longest;
    this.model = new Uint8Array(drive.byteLength);
    this.#buffer = new Uint8Array(longest * SECTOR);
  }

  /** Makes one request somewhere; does not wait. */
  act(): void {
    const count = 1 + below(this.#random, this.#longest);
    const offset = below(this.#random, this.model.length / SECTOR - count + 1) * SECTOR;
    if (this.#random() < 0.5) this.#write(offset, count * SECTOR);
    else this.#read(offset, count * SECTOR);
  }

  #write(offset: number, length: number): void {
    const bytes = this.#buffer.subarray(0, length);
    bytes.set(patternBytes(this.#tag++, length));
    this.model.set(bytes, offset);
    this.#drive.set(offset, bytes, this.#once());
    bytes.fill(0xee); // the next command uses it again
  }

  #read(offset: number, length: number): void {
    const expected = this.model.slice(offset, offset + length);
    const once = this.#once();
    this.#drive.get(offset, length, (bytes) => {
      once();
      expectSame(bytes, expected, offset);
    });
  }

  /** Counts an answer. @throws Error if it is a second one */
  #once(): () => void {
    this.asked++;
    let called = false;
    return () => {
      if (called) throw new Error("a request was answered twice");
      called = true;
      this.answered++;
    };
  }
}
