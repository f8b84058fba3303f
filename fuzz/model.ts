/** What a disk must read as: plain bytes, of which some may be unknown. Only the beginning of a large disk is followed. */
import type { AnyDisk } from "../test/support/faces.js";
import { Fault } from "./fault.js";

/** So much of a disk is followed, in bytes. */
export const FOLLOWED = 32 * 1024;

export class Model {
  /** The disk's size. */
  size: number;
  bytes: Uint8Array;
  /** 1 where a byte is known. */
  known: Uint8Array;

  constructor(size: number, bytes: Uint8Array, known: Uint8Array) {
    this.size = size;
    this.bytes = bytes;
    this.known = known;
  }

  /** How much of the disk is followed. */
  get length(): number {
    return this.bytes.length;
  }

  copy(): Model {
    return new Model(this.size, this.bytes.slice(), this.known.slice());
  }

  write(content: Uint8Array, offset: number): void {
    if (offset >= this.length) return;
    const part = content.subarray(0, this.length - offset);
    this.bytes.set(part, offset);
    this.known.fill(1, offset, offset + part.length);
  }

  clear(offset: number, length: number): void {
    this.bytes.fill(0, offset, offset + length);
    this.known.fill(1, offset, offset + length);
  }

  forget(offset: number, length: number): void {
    this.known.fill(0, offset, offset + length);
  }

  /** What is added reads as zeros. Of a disk that was longer than what is followed, the rest stays unknown. */
  resize(size: number): void {
    const { bytes, known } = this;
    const length = Math.min(size, FOLLOWED);
    const before = Math.min(length, this.size);
    this.bytes = new Uint8Array(length);
    this.known = new Uint8Array(length).fill(1, before);
    this.bytes.set(bytes.subarray(0, length));
    this.known.set(known.subarray(0, length));
    this.size = size;
  }

  /** Where bytes differ from what is known; -1 if they do not. */
  differs(found: Uint8Array, offset = 0): number {
    const { bytes, known } = this;
    const end = Math.min(found.length, this.length - offset);
    for (let at = 0; at < end; at++)
      if (found[at] !== bytes[offset + at] && known[offset + at] === 1) return offset + at;
    return -1;
  }

  /** Compares all that is known with a disk that reads without errors. */
  async require(disk: AnyDisk, when: string): Promise<void> {
    if (disk.size !== this.size) throw new Fault(`${when} the disk has ${disk.size} bytes, not ${this.size}`);
    const found = new Uint8Array(this.length);
    await disk.read(found, 0);
    const at = this.differs(found);
    if (at >= 0) throw new Fault(`${when} byte ${at} is ${found[at]}, not ${this.bytes[at]}`);
  }
}
