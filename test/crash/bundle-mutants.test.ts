import { afterEach, describe, expect, test, vi } from "vitest";
import { randomFrom } from "../support/random.js";
import { runs, sampled } from "../support/runs.js";
import { BundleHistory, type HistoryOptions } from "./bundle-history.js";
import { type BundleMutant, bundleMutants, PassingFolder } from "./bundle-mutants.js";
import { Unsound } from "./folder-world.js";

const { seed: firstSeed = Date.now() % 2 ** 31 } = runs(1);

const OPTIONS: HistoryOptions = {
  limits: { losing: "power", exhaustive: 8, sampled: 5, states: 400 },
  steps: 40,
  repaired: 0,
  count: () => {},
};

/** A mutant that is not caught within so many states is as good as not caught. */
const MOST_STATES = 20_000;

/** Plays histories until the simulator complains; answers the complaint and after how many states it came. */
function complaintOf({ make }: BundleMutant): { message: string; states: number } {
  let states = 0;
  for (let seed = firstSeed; states < MOST_STATES; seed++) {
    const Between = make();
    try {
      states += new BundleHistory(randomFrom(seed), { ...OPTIONS, through: (folder) => new Between(folder) }).run();
    } catch (error) {
      if (error instanceof Unsound) return { message: error.message, states };
      throw error;
    } finally {
      vi.restoreAllMocks();
    }
  }
  return { message: "nothing", states };
}

describe("the simulator catches a bundle that forgets a step", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.each(sampled(bundleMutants, 2))("$name", { timeout: 600_000 }, (mutant) => {
    const { message, states } = complaintOf(mutant);
    expect(message).toMatch(mutant.complaint);
    console.log(`${mutant.name}: caught after ${states} states and a history (seed ${firstSeed})`);
  });

  test("and has nothing to say of one that forgets nothing", () => {
    const through: HistoryOptions["through"] = (folder) => new PassingFolder(folder);
    expect(new BundleHistory(randomFrom(firstSeed), { ...OPTIONS, through }).run()).toBeGreaterThan(0);
  });
});
