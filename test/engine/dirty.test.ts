import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDirtyBits } from "../../src/engine/create.js";
import type { DirtyBits } from "../../src/engine/dirty.js";
import { runs } from "../support/runs.js";

const KINDS = ["wasm", "js"] as const;

/** Bits in the most obvious words. */
class NaiveBits {
  readonly bits: boolean[];

  constructor(bitCount: number) {
    this.bits = new Array(bitCount).fill(false);
  }

  set(from: number, to: number, value: boolean): number {
    const before = this.count(from, to, value);
    this.bits.fill(value, from, to);
    return to - from - before;
  }

  count(from: number, to: number, value = true): number {
    return this.bits.slice(from, to).filter((bit) => bit === value).length;
  }

  next(from: number, value: boolean): number {
    const found = this.bits.indexOf(value, from);
    return found < 0 ? this.bits.length : found;
  }

  /** As the format has them. */
  bytes(): number[] {
    const bytes = new Array<number>(Math.ceil(this.bits.length / 64) * 8).fill(0);
    this.bits.forEach((bit, index) => {
      if (bit) bytes[index >> 3] |= 1 << (index & 7);
    });
    return bytes;
  }
}

interface Verb {
  name: "mark" | "clear" | "merge";
  from: number;
  to: number;
  /** Ranges of another bitmap to merge, of one kind into the other where it is `crossed`. */
  others: [from: number, to: number][];
  crossed: boolean;
}

/** Ends of ranges: anywhere, and where words, lines of 64 bytes and bitmaps end. */
function places(bitCount: number): fc.Arbitrary<number> {
  const edges = fc
    .tuple(fc.constantFrom(0, 32, 64, 512, 1024, 1536, bitCount), fc.integer({ min: -2, max: 2 }))
    .map(([edge, off]) => Math.min(Math.max(edge + off, 0), bitCount));
  return fc.oneof(fc.integer({ min: 0, max: bitCount }), edges);
}

function ranges(bitCount: number): fc.Arbitrary<[from: number, to: number]> {
  const place = places(bitCount);
  return fc.tuple(place, place).map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
}

function verbs(bitCount: number): fc.Arbitrary<Verb> {
  return fc
    .record({
      name: fc.constantFrom<Verb["name"][]>("mark", "mark", "clear", "merge"),
      others: fc.array(ranges(bitCount), { maxLength: 4 }),
      crossed: fc.boolean(),
      range: ranges(bitCount),
    })
    .map(({ range: [from, to], ...verb }) => ({ ...verb, from, to }));
}

const histories = fc
  .oneof(fc.integer({ min: 0, max: 2100 }), fc.constantFrom(0, 1, 31, 32, 33, 63, 64, 65, 511, 512, 1087, 1088, 1600))
  .chain((bitCount) => fc.tuple(fc.constant(bitCount), fc.array(verbs(bitCount), { minLength: 1, maxLength: 12 })));

/** Does the verb in all three and compares what they answer. */
function run({ name, from, to, others, crossed }: Verb, twins: readonly DirtyBits[], naive: NaiveBits): void {
  if (name === "mark") {
    const fresh = naive.set(from, to, true);
    for (const bits of twins) expect(bits.mark(from, to)).toBe(fresh);
  } else if (name === "clear") {
    naive.set(from, to, false);
    for (const bits of twins) bits.clear(from, to);
  } else {
    for (const [first, last] of others) naive.set(first, last, true);
    for (const bits of twins) {
      const kind = crossed === (bits.kind === "wasm") ? "js" : "wasm";
      const other = createDirtyBits(kind, bits.bitCount);
      for (const [first, last] of others) other.mark(first, last);
      bits.merge(other.bytes);
      other.release();
    }
  }
}

/** Whatever can be asked about a range, and every byte. */
function expectSame(bits: DirtyBits, naive: NaiveBits, from: number, to: number): void {
  expect([...bits.bytes]).toEqual(naive.bytes());
  const answers = (at: number) => [bits.nextSet(at), bits.nextClear(at)];
  for (const at of [0, from, to, bits.bitCount])
    expect(answers(at)).toEqual([naive.next(at, true), naive.next(at, false)]);
  expect([bits.count(from, to), bits.count(0, bits.bitCount)]).toEqual([
    naive.count(from, to),
    naive.count(0, bits.bitCount),
  ]);
}

/** All runs of set bits, as their users find them. */
function setRuns(bits: DirtyBits): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (let from = bits.nextSet(0); from < bits.bitCount; ) {
    const to = bits.nextClear(from);
    found.push([from, to]);
    from = bits.nextSet(to);
  }
  return found;
}

describe("Dirty bits in both engines", () => {
  it("are those of a list, bit by bit, after any history", () => {
    fc.assert(
      fc.property(histories, ([bitCount, history]) => {
        const twins = KINDS.map((kind) => createDirtyBits(kind, bitCount));
        const naive = new NaiveBits(bitCount);
        for (const verb of history) {
          run(verb, twins, naive);
          for (const bits of twins) expectSame(bits, naive, verb.from, verb.to);
        }
        for (const bits of twins) bits.release();
      }),
      runs(3000, 300),
    );
  }, 60_000);
});

describe.each(KINDS)("Dirty bits in %s", (kind) => {
  it("are clear at first, in whole words", () => {
    for (const [bitCount, size] of [
      [0, 0],
      [1, 8],
      [64, 8],
      [65, 16],
    ]) {
      const bits = createDirtyBits(kind, bitCount);
      expect([bits.kind, bits.fallback, bits.bitCount, bits.bytes.length]).toEqual([kind, undefined, bitCount, size]);
      expect([bits.nextSet(0), bits.nextClear(0), bits.count(0, bitCount), bits.mark(0, 0)]).toEqual([
        bitCount,
        0,
        0,
        0,
      ]);
    }
  });

  it("lie in their bytes as the format has them", () => {
    const bits = createDirtyBits(kind, 100);
    for (const bit of [5, 6, 10, 11, 12, 30, 64]) expect(bits.mark(bit, bit + 1)).toBe(1);
    expect([...bits.bytes]).toEqual([0x60, 0x1c, 0, 0x40, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bits.bytes[2] = 0x81;
    expect(setRuns(bits)).toEqual([
      [5, 7],
      [10, 13],
      [16, 17],
      [23, 24],
      [30, 31],
      [64, 65],
    ]);
  });

  it("behind the last one are never seen, though a reader filled them", () => {
    for (const bitCount of [1, 7, 31, 32, 33, 63, 64, 65, 127, 500, 513, 700, 1087]) {
      const bits = createDirtyBits(kind, bitCount);
      bits.bytes.fill(0xff);
      expect([bits.count(0, bitCount), bits.nextClear(0), bits.mark(0, bitCount)]).toEqual([bitCount, bitCount, 0]);
      bits.clear(0, bitCount);
      expect([bits.count(0, bitCount), bits.nextSet(0), bits.nextSet(bitCount)]).toEqual([0, bitCount, bitCount]);
      expect([bits.mark(0, bitCount), bits.nextClear(bitCount - 1)]).toEqual([bitCount, bitCount]);
      // The next one of its kind is the highest of the last word.
      bits.bytes.fill(0);
      bits.bytes[bits.bytes.length - 1] = bitCount % 64 === 0 ? 0 : 0x80;
      expect([bits.nextSet(0), bits.count(0, bitCount)]).toEqual([bitCount, 0]);
      bits.bytes.fill(0xff);
      bits.bytes[bits.bytes.length - 1] = bitCount % 64 === 0 ? 0xff : 0x7f;
      expect([bits.nextClear(0), bits.count(0, bitCount)]).toEqual([bitCount, bitCount]);
    }
  });

  it("answer at every bit of some lines, for every length of a run", () => {
    const bitCount = 64 * 20;
    const bits = createDirtyBits(kind, bitCount);
    for (let from = 0; from < bitCount; from += 7) {
      for (const length of [1, 2, 31, 33, 64, 65, 511, 513, 700]) {
        const to = Math.min(from + length, bitCount);
        expect([bits.mark(from, to), bits.mark(from, to), bits.count(0, bitCount)]).toEqual([to - from, 0, to - from]);
        expect(setRuns(bits)).toEqual([[from, to]]);
        bits.clear(from, to);
        expect(bits.nextSet(0)).toBe(bitCount);
      }
    }
  });

  it("count those of a run that were set, whatever lies in its lines", () => {
    const bits = createDirtyBits(kind, 4096);
    for (let bit = 0; bit < 2048; bit += 3) bits.mark(bit, bit + 1);
    bits.mark(2048, 3000);
    const set = bits.count(0, 4096);
    expect([set, bits.mark(1, 4095)]).toEqual([683 + 952, 4094 - (set - 1)]);
    expect(setRuns(bits)).toEqual([[0, 4095]]);
  });

  it("of other bitmaps stay as they are, also behind one another in one memory", () => {
    const three = [0, 1, 2].map(() => createDirtyBits(kind, 640));
    const [before, bits, behind] = three as [DirtyBits, DirtyBits, DirtyBits];
    bits.mark(0, 640);
    expect([before, behind].map((other) => [other.nextSet(0), other.count(0, 640)])).toEqual([
      [640, 0],
      [640, 0],
    ]);
    for (const other of [before, behind]) other.mark(0, 640);
    bits.clear(0, 640);
    expect([bits.nextSet(0), before.count(0, 640), behind.count(0, 640)]).toEqual([640, 640, 640]);
  });

  it("are clear again where another bitmap gave its memory back", () => {
    for (let turn = 0; turn < 40; turn++) {
      const bits = createDirtyBits(kind, 2 ** 22);
      expect(bits.nextSet(0)).toBe(2 ** 22);
      bits.mark(5, 2 ** 22 - 5);
      bits.release();
      bits.release();
      if (kind === "wasm") expect(bits.bytes.length).toBe(0);
    }
  });

  it("are many, and as cheap to search as to make", () => {
    const bitCount = 2 ** 28 - 3;
    const bits = createDirtyBits(kind, bitCount);
    expect([bits.bytes.length, bits.nextSet(0), bits.count(0, bitCount)]).toEqual([2 ** 25, bitCount, 0]);
    expect([bits.mark(bitCount - 1, bitCount), bits.nextSet(1), bits.nextClear(bitCount - 1)]).toEqual([
      1,
      bitCount - 1,
      bitCount,
    ]);
    expect([bits.mark(1000, bitCount), bits.nextClear(1000), bits.count(0, bitCount)]).toEqual([
      bitCount - 1001,
      bitCount,
      bitCount - 1000,
    ]);
    const other = createDirtyBits(kind, bitCount);
    other.mark(7, 9);
    other.mark(2 ** 27, 2 ** 27 + 1);
    bits.clear(999, bitCount - 1);
    bits.merge(other.bytes);
    expect(setRuns(bits)).toEqual([
      [7, 9],
      [2 ** 27, 2 ** 27 + 1],
      [bitCount - 1, bitCount],
    ]);
  });

  it("are as many as 2^31", () => {
    const bitCount = 2 ** 31;
    const bits = createDirtyBits(kind, bitCount);
    expect([bits.nextSet(0), bits.mark(bitCount - 1, bitCount), bits.mark(bitCount - 70, bitCount)]).toEqual([
      bitCount,
      1,
      69,
    ]);
    expect(setRuns(bits)).toEqual([[bitCount - 70, bitCount]]);
    expect(bits.count(0, bitCount)).toBe(70);
  });
});
