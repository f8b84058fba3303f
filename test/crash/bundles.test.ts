/** Bundles where power is lost, or the process dies, while snapshots are taken, deleted and gone back to. */
import { describe, expect, test } from "vitest";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { BundleHistory } from "./bundle-history.js";
import type { WorldLimits } from "./folder-world.js";

const LIMITS = { exhaustive: 12, sampled: 5, states: 1000 };

/** What must have been cut off, where all is done. */
const EVERY = [
  ...["create", "switch", "write", "flush", "delete, drop", "in a repair"],
  ...["delete, up, the top", "delete, up, below", "delete, up, another branch"],
  ...["delete, down to expandable, the top", "delete, down to expandable, below"],
  ...["delete, down to expandable, another branch", "delete, down to plain, the top", "delete, down to plain, below"],
];

/** Plays histories; answers how many states were judged, and adds those of each verb to `counts`. */
function playMany(losing: WorldLimits["losing"], wanted: number, first: number, counts: Map<string, number>): number {
  const count = (what: string, states: number) => counts.set(what, (counts.get(what) ?? 0) + states);
  let visited = 0;
  for (let seed = first; visited < wanted; seed++) {
    const limits: WorldLimits = { ...LIMITS, losing };
    try {
      visited += new BundleHistory(randomFrom(seed), { limits, steps: 40, repaired: 0.4, count }).run();
    } catch (error) {
      throw new Error(`${(error as Error).message}\nPARABLOCK_SEED=${seed} plays it again`, { cause: error });
    }
  }
  return visited;
}

describe.each(["power", "nothing"] as const)("A bundle that loses %s", (losing) => {
  const { numRuns: wanted, seed: first = Date.now() % 2 ** 31 } = runs(losing === "power" ? 52_000 : 10_000, 200);

  test("has every snapshot as it was or as before, and what was flushed; a repair leaves nothing else", {
    timeout: Math.max(600_000, 30 * wanted),
  }, () => {
    const counts = new Map<string, number>();
    const visited = playMany(losing, wanted, first, counts);
    const list = [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([what, states]) => `${what}: ${states}`);
    console.log(`crash states of bundles, losing ${losing}: ${visited} (seed ${first})\n  ${list.join("\n  ")}`);
    expect(visited).toBeGreaterThanOrEqual(wanted);
    if (wanted >= 50_000) expect(EVERY.filter((what) => !counts.has(what))).toEqual([]);
  });
});
