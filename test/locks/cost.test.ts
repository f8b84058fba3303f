/**
 * What locks cost where very many are held or wait: counted in comparisons of the numbers that they lock, which no
 * machine makes slower. The simplest way compares with every other lock.
 */
import { describe, expect, test } from "vitest";
import { RangeLocks } from "../../src/image/range-locks.js";
import { below, randomFrom } from "../support/random.js";

const MANY = 10_000;
/** Comparisons for each level of a balanced tree: a search looks at a few numbers at each, and a change adds them up. */
const LEVEL = 20;
const ALL = Number.MAX_SAFE_INTEGER;

let comparisons = 0;

/** A number that counts how often it is looked at. */
function counted(value: number): number {
  return {
    valueOf: () => {
      comparisons++;
      return value;
    },
  } as unknown as number;
}

type Range = [first: number, last: number, exclusive: boolean];

const random = randomFrom(5);
const place = () => below(random, 2 ** 32);
const someOf = (length: number, exclusive: boolean): Range[] =>
  Array.from({ length: MANY / 2 }, () => place()).map((first) => [first, first + length, exclusive]);

const crowds: [string, Range[]][] = [
  ["readers all over a disk", [...someOf(3, false), ...someOf(100, false)]],
  ["long readers that overlap", someOf(2 ** 30, false)],
  ["a close behind readers, and readers behind it", [...someOf(3, false), [0, ALL, true], ...someOf(3, false)]],
  ["writers of the same cluster", Array.from({ length: MANY }, () => [7, 7, true])],
  ["writers all over a disk that is being checked", [[0, ALL, false], ...someOf(3, true)]],
  [
    "checks without number, and writers behind them",
    [...someOf(0, false).map((): Range => [0, ALL, false]), ...someOf(3, true)],
  ],
  ["checks and closes by turns", Array.from({ length: MANY }, (_, turn) => [0, ALL, turn % 2 === 1])],
  ["long writers behind short readers", [...someOf(3, false), ...someOf(2 ** 28, true)]],
];

describe("Locks cost what a search in a tree costs", () => {
  test.each(crowds)("where there are %s", async (_, ranges) => {
    const locks = new RangeLocks();
    comparisons = 0;
    const queue = ranges.map(([first, last, exclusive]) => locks.acquire(counted(first), counted(last), exclusive));
    const levels = Math.log2(ranges.length);
    expect(comparisons / ranges.length / levels, "to come").toBeLessThan(LEVEL);
    comparisons = 0;
    for (const lock of queue) {
      await locks.granted(lock);
      locks.release(lock);
    }
    // A lock may find that another is in its way yet, and again, but seldom.
    expect(comparisons / ranges.length / levels, "to go").toBeLessThan(3 * LEVEL);
  });
});
