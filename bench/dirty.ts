/** What WebAssembly buys the dirty bits: marks as guest writes make them, and passes over the bitmap of a large disk. */

import { createDirtyBits } from "../src/engine/create.js";
import type { DirtyBits } from "../src/engine/dirty.js";
import { type Pair, pairOf, randomLengths, type TwinWork } from "./twins.js";

/** The bits of a terabyte in granules of 64 KiB. */
const MARKED_BITS = 2 ** 24;
const LARGE_BYTES = 2 ** 25;
const RUN_BITS = 2 ** 20;

export function dirtyWorks(): TwinWork[] {
  const marks = 2 ** 16;
  return [
    ["dirty bits, mark of one that is clear", () => freshMarks(marks, 1), "mark", marks],
    ["dirty bits, mark of one that is set", () => repeatedMarks(marks, 1), "mark", marks],
    ["dirty bits, mark of 64 Ki, none set", () => freshMarks(256, 2 ** 16), "byte", MARKED_BITS / 8],
    [
      "dirty bits, mark of 64 Ki, every third set",
      () => thirds((bits) => markSpread(bits, 256, 2 ** 16)),
      "byte",
      MARKED_BITS / 8,
    ],
    [
      "dirty bits, clear of 2 MiB, every third set",
      () => thirds((bits) => bits.clear(0, MARKED_BITS)),
      "byte",
      MARKED_BITS / 8,
    ],
    ["dirty bits, next set, 32 MiB of zeros", () => passes(0, (bits) => bits.nextSet(0)), "byte", LARGE_BYTES],
    ["dirty bits, count in 32 MiB", () => passes(0x5a, (bits) => bits.count(0, bits.bitCount)), "byte", LARGE_BYTES],
    ["dirty bits, merge of 32 MiB", merges, "byte", LARGE_BYTES],
    ["dirty bits, runs of 1 to 16 bits found", foundRuns, "run", lengthsOfRuns().length / 2],
  ];
}

/** Marks of neighbouring clear bits, spread evenly; their bytes are cleared by the platform, the same for both. */
function freshMarks(marks: number, length: number): Pair<() => unknown> {
  return pairOf((kind) => {
    const bits = createDirtyBits(kind, MARKED_BITS);
    return () => {
      bits.bytes.fill(0);
      return markSpread(bits, marks, length);
    };
  });
}

function repeatedMarks(marks: number, length: number): Pair<() => unknown> {
  return pairOf((kind) => {
    const bits = createDirtyBits(kind, MARKED_BITS);
    return () => markSpread(bits, marks, length);
  });
}

function markSpread(bits: DirtyBits, marks: number, length: number): number {
  const distance = MARKED_BITS / marks;
  let fresh = 0;
  for (let from = 0; from < MARKED_BITS; from += distance) fresh += bits.mark(from, from + length);
  return fresh;
}

/** Every third bit is set before; putting them there is the platform's work, too. */
function thirds(pass: (bits: DirtyBits) => unknown): Pair<() => unknown> {
  const before = Uint8Array.from({ length: MARKED_BITS / 8 }, (_, index) => [0x49, 0x92, 0x24][index % 3] ?? 0);
  return pairOf((kind) => {
    const bits = createDirtyBits(kind, MARKED_BITS);
    return () => {
      bits.bytes.set(before);
      return pass(bits);
    };
  });
}

/** The bytes are written once, also where they are zeros: untouched memory would be one page, over and over. */
function passes(value: number, pass: (bits: DirtyBits) => number): Pair<() => unknown> {
  return pairOf((kind) => {
    const bits = createDirtyBits(kind, LARGE_BYTES * 8);
    bits.bytes.fill(value);
    return () => pass(bits);
  });
}

function merges(): Pair<() => unknown> {
  return pairOf((kind) => {
    const [bits, other] = [createDirtyBits(kind, LARGE_BYTES * 8), createDirtyBits(kind, LARGE_BYTES * 8)];
    other.bytes.fill(0x5a);
    return () => bits.merge(other.bytes);
  });
}

function foundRuns(): Pair<() => unknown> {
  return pairOf((kind) => {
    const bits = createDirtyBits(kind, RUN_BITS);
    let at = 0;
    lengthsOfRuns().forEach((length, index) => {
      if (index % 2 === 0) bits.mark(at, at + length);
      at += length;
    });
    return () => {
      let runs = 0;
      for (let from = bits.nextSet(0); from < RUN_BITS; from = bits.nextSet(bits.nextClear(from))) runs++;
      return runs;
    };
  });
}

/** Lengths of set and clear runs in turn, an even number of them. */
function lengthsOfRuns(): number[] {
  const next = randomLengths(16);
  const lengths: number[] = [];
  for (let at = 0; at + 32 <= RUN_BITS; ) {
    const pair = [next(), next()];
    lengths.push(...pair);
    at += pair[0] + pair[1];
  }
  return lengths;
}
