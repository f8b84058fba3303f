/**
 * Interleaved measurement in one process, for work that may be asynchronous: every variant runs in every round, in
 * turning order, so that a noisy machine disturbs all alike. `compare` makes ratios of the times.
 */

/** Does something `count` times. */
export type Work = (count: number) => void | Promise<void>;

export interface TurnOptions {
  rounds: number;
  /** How long one variant works in one round, at least, by a clock that may move in steps of a millisecond. */
  milliseconds: number;
}

/** The work that does one thing after the other. */
export function repeated(once: () => unknown): Work {
  return (count) => {
    for (let done = 0; done < count; done++) once();
  };
}

/** The work that keeps a request under way for each buffer: a buffer's next one follows its last. */
export function inFlight(buffers: readonly Uint8Array[], move: (buffer: Uint8Array) => unknown): Work {
  return async (count) => {
    let left = count;
    const lane = async (buffer: Uint8Array) => {
      while (left-- > 0) await move(buffer);
    };
    await Promise.all(buffers.map(lane));
  };
}

/** Microseconds that it takes once: for each variant a list of its rounds. */
export async function takeTurns(variants: readonly Work[], { rounds, milliseconds }: TurnOptions): Promise<number[][]> {
  const counts: number[] = [];
  for (const work of variants) counts.push(await calibrate(work, milliseconds));
  const times = variants.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      const index = (round + turn) % variants.length;
      times[index].push(1000 * (await time(variants[index], counts[index], milliseconds)));
    }
  }
  return times;
}

/** How often the work fills the time; trying it out lets the compilers finish. */
async function calibrate(work: Work, milliseconds: number): Promise<number> {
  await work(1);
  for (let count = 1; ; count *= 2) {
    const taken = count * (await time(work, count, 0));
    if (taken >= milliseconds / 2) return Math.max(1, Math.round((count * milliseconds) / taken));
  }
}

/** Milliseconds of one: of `count`, and of more until the least time has passed by the clock. */
async function time(work: Work, count: number, least: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  for (let batch = count; ; batch = Math.max(1, done >> 2)) {
    await work(batch);
    done += batch;
    const passed = performance.now() - start;
    if (passed >= least) return passed / done;
  }
}
