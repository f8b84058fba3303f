/**
 * Interleaved measurement: every variant runs in every round, in turning order, in one process, so that a
 * noisy machine disturbs all alike. Times are medians over the rounds, and ratios are those of the medians: what is
 * printed side by side agrees.
 */

export interface MeasureOptions {
  /** Rounds; default 15. Finding out how often to repeat the work warms it up first. */
  rounds?: number;
  /**
   * Least time of one variant in one round, in milliseconds; its work is repeated until the clock, which may move in
   * steps of a millisecond, shows it. Default 20.
   */
  roundMilliseconds?: number;
}

/** Named pieces of work that do the same thing. */
export type Variants<Name extends string> = Record<Name, () => unknown>;

export interface Measurement<Name extends string> {
  /** Median nanoseconds per unit. */
  nanoseconds: Record<Name, number>;
  /** How many times faster `fast` is than `slow`, by the medians. */
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
      times[index].push((time(variants[names[index]], repeats[index], roundMilliseconds) * 1e6) / units);
    }
  }
  const nanoseconds = Object.fromEntries(names.map((name, index) => [name, median(times[index])])) as Record<
    Name,
    number
  >;
  return { nanoseconds, ratio: (fast, slow) => nanoseconds[slow] / nanoseconds[fast] };
}

/** How often the work must run to fill a round; its first runs let the compilers finish. */
function calibrate(work: () => unknown, milliseconds: number): number {
  time(work, 1, milliseconds);
  return Math.max(1, Math.ceil(milliseconds / time(work, 1, milliseconds)));
}

/** Milliseconds of one run: `repeats` of them, and more until the least time has passed by the clock. */
function time(work: () => unknown, repeats: number, least: number): number {
  const start = performance.now();
  let done = 0;
  for (let batch = repeats; ; batch = Math.max(1, done >> 2)) {
    for (let repeat = 0; repeat < batch; repeat++) work();
    done += batch;
    const passed = performance.now() - start;
    if (passed >= least && passed > 0) return passed / done;
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
