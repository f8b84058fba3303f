/**
 * Interleaved measurement: every variant runs in every round, in turning order, in one process, so that a
 * noisy machine disturbs all alike. Times are medians over the rounds; ratios are medians of the ratios
 * within a round, which are steadier than the times.
 */

export interface MeasureOptions {
  /** Rounds; default 15. Finding out how often to repeat the work warms it up first. */
  rounds?: number;
  /** Least time of one variant in one round, in milliseconds; its work is repeated to fill it. Default 20. */
  roundMilliseconds?: number;
}

/** Named pieces of work that do the same thing. */
export type Variants<Name extends string> = Record<Name, () => unknown>;

export interface Measurement<Name extends string> {
  /** Median nanoseconds per unit. */
  nanoseconds: Record<Name, number>;
  /** How many times faster `fast` is than `slow`: median over the rounds. */
  ratio(fast: Name, slow: Name): number;
}

/** Runs the variants against each other; `units` is what their times are divided by (entries, bytes, requests). */
export function measure<Name extends string>(
  variants: Variants<Name>,
  units: number,
  { rounds = 15, roundMilliseconds = 20 }: MeasureOptions = {},
): Measurement<Name> {
  const names = Object.keys(variants) as Name[];
  const repeats = names.map((name) => calibrate(variants[name], roundMilliseconds));
  const times = names.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const index = (round + turn) % names.length;
      times[index].push((time(variants[names[index]], repeats[index]) * 1e6) / units);
    }
  }
  const medians = names.map((name, index) => [name, median(times[index])]);
  return {
    nanoseconds: Object.fromEntries(medians) as Record<Name, number>,
    ratio(fast, slow) {
      const slowTimes = times[names.indexOf(slow)];
      return median(times[names.indexOf(fast)].map((value, round) => slowTimes[round] / value));
    },
  };
}

/** How often the work must run to fill a round; its first runs let the compilers finish. */
function calibrate(work: () => unknown, milliseconds: number): number {
  let repeats = 1;
  for (;;) {
    const each = time(work, repeats);
    if (each * repeats >= milliseconds) return Math.max(1, Math.ceil(milliseconds / each));
    repeats *= 2;
  }
}

/** Milliseconds of one run. */
function time(work: () => unknown, repeats: number): number {
  const start = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++) work();
  return (performance.now() - start) / repeats;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
