/** What the benchmarks tell: numbers that a coarse clock or a machine that slows down cannot spoil. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { compare } from "../../src/measure/compare.js";
import { repeated, takeTurns } from "../../src/measure/turns.js";

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
  it("sees work that is far quicker than a step of the clock, though its first run was slow", async () => {
    const clock = coarseClock();
    /** The compilers are busy the first time. */
    const work = (milliseconds: number) => {
      let first = true;
      return repeated(() => {
        clock.spend(first ? 50 : milliseconds);
        first = false;
      });
    };
    const times = await takeTurns([work(0.0003), work(0.0009)], { rounds: 5, milliseconds: 8 });
    const { own, other, ratio } = compare(times[0], times[1]);
    // Eight steps of the clock are seen to an eighth.
    for (const [microseconds, expected] of [
      [own, 0.3],
      [other, 0.9],
    ]) {
      expect(microseconds).toBeGreaterThan(expected * 0.87);
      expect(microseconds).toBeLessThan(expected * 1.13);
    }
    expect(ratio).toBeCloseTo(other / own, 1);
  });

  it("has a ratio between the quartiles that it tells, however a machine slows down meanwhile", async () => {
    const clock = coarseClock();
    let slowness = 1;
    // Its medians fall on a quick round of the one and on a slow one of the other.
    const work = (milliseconds: number) => repeated(() => clock.spend(slowness * milliseconds));
    const slowing = repeated(() => {
      clock.spend(1.5 * slowness);
      slowness = slowness > 4 ? 1 : slowness * 1.01;
    });
    const times = await takeTurns([work(1), slowing], { rounds: 15, milliseconds: 20 });
    const { ratio, spread } = compare(times[0], times[1]);
    expect(ratio).toBeGreaterThanOrEqual(spread[0]);
    expect(ratio).toBeLessThanOrEqual(spread[1]);
    expect(compare([1, 10, 1, 10, 10], [2, 20, 2, 20, 2]).ratio).toBe(2);
  });

  it("tells medians, and the quartiles of the rounds' own ratios", () => {
    const { own, other, ratio, spread } = compare([1, 2, 4, 5, 100], [2, 6, 8, 10, 100], 10);
    expect([own, other, ratio]).toEqual([40, 80, 2]);
    expect(spread).toEqual([2, 2]);
    expect(compare([1, 1, 1, 1], [1, 2, 3, 4]).spread).toEqual([1.75, 3.25]);
  });
});
