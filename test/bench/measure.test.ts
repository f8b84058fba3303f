/** What the benchmarks print: numbers that a coarse clock cannot spoil, and that agree with one another. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { measure } from "../../bench/measure.js";

/** A clock that work alone moves, and that shows whole milliseconds, as Firefox's does. */
function coarseClock(): { spend(milliseconds: number): void } {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => Math.floor(now));
  return {
    spend(milliseconds) {
      now += milliseconds;
    },
  };
}

afterEach(() => void vi.restoreAllMocks());

describe("A measurement", () => {
  it("sees work that is far quicker than a step of the clock, though its first run was slow", () => {
    const clock = coarseClock();
    /** The compilers are busy the first time. */
    const work = (milliseconds: number) => {
      let first = true;
      return () => {
        clock.spend(first ? 50 : milliseconds);
        first = false;
      };
    };
    const options = { rounds: 5, roundMilliseconds: 8 };
    const { nanoseconds, ratio } = measure({ fast: work(0.0003), slow: work(0.0009) }, 1, options);
    // Eight steps of the clock are seen to an eighth.
    for (const [name, expected] of [
      ["fast", 300],
      ["slow", 900],
    ] as const) {
      expect(nanoseconds[name]).toBeGreaterThan(expected * 0.87);
      expect(nanoseconds[name]).toBeLessThan(expected * 1.13);
    }
    expect(ratio("fast", "slow")).toBe(nanoseconds.slow / nanoseconds.fast);
  });

  it("has ratios of the times that it tells, however they waver from round to round", () => {
    const clock = coarseClock();
    let turn = 0;
    const wavering = (times: readonly number[]) => () => clock.spend(times[turn++ % times.length]);
    const { nanoseconds, ratio } = measure({ fast: wavering([1, 9, 2]), slow: wavering([30, 3, 4, 1]) }, 7);
    expect(ratio("fast", "slow")).toBe(nanoseconds.slow / nanoseconds.fast);
  });
});
