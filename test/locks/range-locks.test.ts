/** Locks on ranges against the simplest way to keep them: whatever is asked for and let go, the same ones hold, in the same order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RangeLocks } from "../../src/image/range-locks.js";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { NaiveLocks } from "./naive-locks.js";

/** What both kinds of locks have. */
interface Lock {
  first: number;
  last: number;
  exclusive: boolean;
}
interface Locks<L extends Lock> {
  acquire(first: number, last: number, exclusive: boolean): L;
  tryAcquire(first: number, last: number, exclusive: boolean): L | undefined;
  granted(lock: L): Promise<void>;
  release(lock: L): void;
  giveUp(reason: unknown): void;
}

/** Locks under test, by number; writes down what they answer. */
class Keeper<L extends Lock> {
  readonly #locks: Locks<L>;
  readonly #known = new Map<number, L>();
  readonly log: string[] = [];
  /** Those that hold. */
  readonly holding = new Set<number>();
  readonly waiting = new Set<number>();

  constructor(locks: Locks<L>) {
    this.#locks = locks;
  }

  acquire(id: number, { first, last, exclusive }: Lock): void {
    const lock = this.#locks.acquire(first, last, exclusive);
    this.#known.set(id, lock);
    this.waiting.add(id);
    this.#locks.granted(lock).then(
      () => this.#note(id, "holds"),
      () => this.#note(id, "is refused"),
    );
  }

  tryAcquire(id: number, { first, last, exclusive }: Lock): void {
    const lock = this.#locks.tryAcquire(first, last, exclusive);
    if (lock === undefined) return void this.log.push(`${id} would have to wait`);
    this.#known.set(id, lock);
    this.waiting.add(id);
    this.#note(id, "holds");
  }

  release(id: number): void {
    this.holding.delete(id);
    this.waiting.delete(id);
    const lock = this.#known.get(id);
    this.#known.delete(id);
    if (lock !== undefined) this.#locks.release(lock);
  }

  /** As a disk does that is given up: those that were refused leave the line. */
  async giveUp(): Promise<void> {
    this.#locks.giveUp(new Error("over"));
    await Promise.resolve();
    await Promise.resolve();
    for (const id of [...this.waiting]) this.release(id);
  }

  #note(id: number, what: string): void {
    if (!this.#known.has(id)) return; // it left the line before
    this.log.push(`${id} ${what}`);
    if (what === "holds" && this.waiting.delete(id)) this.holding.add(id);
  }
}

/** A range of up to all of `space`, mostly short; `writers` is the share of exclusive ones. */
function randomRange(random: () => number, space: number, writers: number): Lock {
  const dice = random();
  const longest = dice < 0.7 ? 4 : dice < 0.95 ? space / 8 : space;
  const first = Math.floor(random() * space);
  const last = Math.min(space - 1, first + Math.floor(random() * longest));
  return dice > 0.99
    ? { first: 0, last: Number.MAX_SAFE_INTEGER, exclusive: random() < writers }
    : { first, last, exclusive: random() < writers };
}

const pick = (random: () => number, ids: Set<number>): number | undefined => [...ids][Math.floor(random() * ids.size)];

describe("Range locks", () => {
  const cases = fc.record({
    seed: fc.integer(),
    space: fc.constantFrom(1, 5, 40, 1000, 2 ** 32),
    depth: fc.constantFrom(3, 20, 100, 300),
    writers: fc.constantFrom(0.5, 0.02), // hardly any: then locks are in no order when one comes
  });

  test("hold, wait and are refused as the simplest ones are", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, space, depth, writers }) => {
        const random = randomFrom(seed);
        const tree = new Keeper(new RangeLocks());
        const naive = new Keeper(new NaiveLocks());
        for (let id = 0; id < 1000; id++) {
          const dice = random();
          const range = randomRange(random, space, writers);
          const held = pick(random, naive.holding);
          const inLine = pick(random, naive.waiting);
          const crowded = naive.holding.size + naive.waiting.size > depth && dice < 0.9;
          for (const keeper of [tree, naive]) {
            if (crowded && held !== undefined) keeper.release(held);
            else if (dice < 0.002) await keeper.giveUp();
            else if (dice < 0.01 && inLine !== undefined) keeper.release(inLine);
            else if (dice < 0.2) keeper.tryAcquire(id, range);
            else keeper.acquire(id, range);
          }
          await Promise.resolve();
          expect(tree.log).toEqual(naive.log);
        }
      }),
      runs(100, 10),
    );
  });
});
