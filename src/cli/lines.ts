/**
 * Lists of any length on standard output. A fragmented disk has millions of lines, and a string for each costs several
 * times as much as its bytes: so texts and numbers are written as bytes, into one buffer.
 */
import { print } from "./print.js";

/** Bytes printed at once. */
const PIECE_LENGTH = 256 * 1024;
/** More than nearly every line has. */
const ROOM = 1024;

/** Bytes that are copied sooner one by one than by a call of `set`. */
const SHORT = 32;

const ZERO = "0".charCodeAt(0);
const SPACE = " ".charCodeAt(0);
/** Digits of a number that integers of 32 bits reckon with at once. */
const DIGITS = 8;
const UNIT = 10 ** DIGITS;

/** Prints items as `add` writes them, each with its line's end. */
export async function printEach<T>(batches: Batches<T>, add: AddItem<T>): Promise<void> {
  const lines = new Lines();
  for await (const items of batches) await addAll(lines, items, add);
  await lines.print();
}

/** Prints a list as JSON, an item a line. */
export async function printList<T>(batches: Batches<T>, add: AddItem<T>): Promise<void> {
  const lines = new Lines();
  let before = OPEN;
  const addNext: AddItem<T> = (lines, item) => {
    add(lines.add(before), item);
    before = BETWEEN;
  };
  for await (const items of batches) await addAll(lines, items, addNext);
  await lines.add(before === OPEN ? NOTHING : CLOSE).print();
}

type Batches<T> = AsyncIterable<Iterable<T>>;
type AddItem<T> = (lines: Lines, item: T) => void;

async function addAll<T>(lines: Lines, items: Iterable<T>, add: AddItem<T>): Promise<void> {
  for (const item of items) {
    add(lines, item);
    if (lines.isFull) await lines.print();
  }
}

/** A text that many lines have. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const OPEN = bytesOf("[");
const BETWEEN = bytesOf(",\n");
const CLOSE = bytesOf("]\n");
const NOTHING = bytesOf("[]\n");

/** Where they are written. */
export class Lines {
  #bytes = new Uint8Array(PIECE_LENGTH + ROOM);
  #length = 0;

  /** Whether it is time to print. */
  get isFull(): boolean {
    return this.#length >= PIECE_LENGTH;
  }

  add(text: Uint8Array): this {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    const start = this.#length;
    if (text.length > SHORT) bytes.set(text, start);
    else for (let i = 0; i < text.length; i++) bytes[start + i] = text[i];
    this.#length = start + text.length;
    return this;
  }

  /** Adds a number that is whole and not negative, to the right of a column of `width` characters. */
  addNumber(value: number, width = 0): this {
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    this.#reserve(Math.max(width, digits));
    for (let column = digits; column < width; column++) this.#bytes[this.#length++] = SPACE;
    const high = Math.floor(value / UNIT);
    if (high > 0) this.#addDigits(high, digits - DIGITS);
    this.#addDigits(value - high * UNIT, high > 0 ? DIGITS : digits);
    return this;
  }

  /** Prints what has been added, which makes room for more. */
  print(): Promise<void> {
    return print(this.take());
  }

  /** What has been added; it is overwritten by what comes next. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #addDigits(value: number, count: number): void {
    const bytes = this.#bytes;
    const start = this.#length;
    let rest = value | 0;
    for (let at = start + count - 1; at >= start; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#length = start + count;
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
