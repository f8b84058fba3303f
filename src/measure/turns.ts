/**
 * Interleaved measurement of requests, for work that may be asynchronous: every variant runs in every round, in
 * turning order, so that a noisy machine disturbs all alike. Ratios are medians of the ratios within a round.
 */

/** Makes `count` requests. */
export type Work = (count: number) => void | Promise<void>;

export interface TurnOptions {
  rounds: number;
  /** How long one variant works in one round. */
  milliseconds: number;
}

export interface Turns {
  /** Median microseconds per request, by variant. */
  microseconds: number[];
  /** For each variant, its speed as a multiple of the variant's at `index`. */
  speedOver(index: number): number[];
}

export async function takeTurns(variants: readonly Work[], { rounds, milliseconds }: TurnOptions): Promise<Turns> {
  // The same number for all: what it costs to begin and to end is then alike, too.
  let count = 1;
  for (const work of variants) count = Math.max(count, await calibrate(work, milliseconds));
  const times = variants.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      const index = (round + turn) % variants.length;
      times[index].push((await time(variants[index], count)) / count);
    }
  }
  return {
    microseconds: times.map((each) => 1000 * median(each)),
    speedOver: (index) => times.map((each) => median(each.map((value, round) => times[index][round] / value))),
  };
}

const FIRST_COUNT = 16;

/** How many requests fill the time; trying it out lets the compilers finish. */
async function calibrate(work: Work, milliseconds: number): Promise<number> {
  await work(FIRST_COUNT);
  for (let count = FIRST_COUNT; ; count *= 2) {
    const taken = await time(work, count);
    if (taken >= milliseconds / 2) return Math.max(1, Math.round((count * milliseconds) / taken));
  }
}

/** Milliseconds that `count` requests take. */
async function time(work: Work, count: number): Promise<number> {
  const start = performance.now();
  await work(count);
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
