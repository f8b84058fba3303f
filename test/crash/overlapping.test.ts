import { expect, test } from "vitest";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { playHistory } from "./history.js";
import { playOverlapping } from "./overlapping-history.js";
import type { Limits } from "./session.js";
import { contentOf, randomSetting, startImage } from "./setting.js";
import { Simulation } from "./simulation.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(12_000, 5_000);

const LIMITS: Limits = {
  losing: "power",
  steps: 100,
  changes: 2,
  exhaustive: 16,
  sampled: 4,
  states: 300,
  descend: 0.002,
  generations: 2,
};

test("with requests in flight, too, every state that a loss of power can leave holds what was flushed", {
  timeout: Math.max(600_000, 2 * wanted),
}, async () => {
  let [visited, histories] = [0, 0];
  for (let seed = firstSeed; visited < wanted; seed++, histories++) {
    const random = randomFrom(seed);
    const setting = randomSetting(random, "small");
    const image = startImage(setting, random);
    const simulation = new Simulation(seed, setting, playHistory);
    await simulation.runAsync(image, contentOf(setting, image), LIMITS, playOverlapping);
    visited += simulation.visited;
  }
  console.log(`crash states with requests in flight: ${visited} in ${histories} histories (seed ${firstSeed})`);
  expect(visited).toBeGreaterThanOrEqual(wanted);
});
