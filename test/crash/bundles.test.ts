import { describe, expect, test } from "vitest";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { BundleHistory, type Done, randomShape } from "./bundle-history.js";
import type { WorldLimits } from "./folder-world.js";

const LIMITS = { exhaustive: 24, sampled: 10, states: 600 };

describe.each(["power", "nothing"] as const)("A bundle that loses %s", (losing) => {
  const { numRuns: wanted, seed: first = Date.now() % 2 ** 31 } = runs(losing === "power" ? 60_000 : 10_000, 1500);
  const limits: WorldLimits = { ...LIMITS, losing };

  test("has every snapshot as it was, whatever it was doing, and what was flushed", {
    timeout: Math.max(600_000, 20 * wanted),
  }, () => {
    const done: Done = new Map();
    let visited = 0;
    for (let seed = first; visited < wanted; seed++) {
      const random = randomFrom(seed);
      const history = new BundleHistory(randomShape(random), random, limits, done);
      try {
        history.play(24);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      visited += history.world.visited;
    }
    const counts = [...done].sort().map(([what, times]) => `${what} ${times}`);
    console.log(`crash states of bundles visited: ${visited}, losing ${losing} (seed ${first}): ${counts.join(", ")}`);
    if (wanted < 10_000) return;
    for (const what of [
      "delete up",
      "delete down",
      "delete up with the top",
      "delete down with the top",
      "delete down, plain",
      "delete drop",
      "switch",
      "repair",
    ])
      expect(done.get(what) ?? 0, what).toBeGreaterThan(0);
  });
});
