import { expect, test } from "vitest";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { playHistory } from "./history.js";
import type { Limits } from "./session.js";
import { contentOf, randomSetting, type Scale, startImage } from "./setting.js";
import { Simulation } from "./simulation.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(100_000, 3_000);

const FEW: Limits = {
  losing: "power",
  steps: 40,
  changes: 12,
  exhaustive: 16,
  sampled: 8,
  states: 1000,
  descend: 0.02,
  generations: 3,
};
const LIMITS: Record<Scale, Limits> = {
  small: {
    losing: "power",
    steps: 30,
    changes: 3,
    exhaustive: 2048,
    sampled: 200,
    states: 1000,
    descend: 0.01,
    generations: 3,
  },
  large: FEW,
  edge: { ...FEW, steps: 25, states: 400 },
};

const SCALES: readonly Scale[] = ["large", "small", "small", "edge", "small", "large", "small", "small"];

test("every state that a loss of power can leave is sound and holds every flushed write", {
  timeout: Math.max(600_000, 2 * wanted),
}, () => {
  let [visited, sampled, histories] = [0, 0, 0];
  for (let seed = firstSeed; visited < wanted; seed++) {
    const scale = SCALES[seed % SCALES.length];
    const random = randomFrom(seed);
    const setting = randomSetting(random, scale);
    const image = startImage(setting, random);
    const simulation = new Simulation(seed, setting, playHistory);
    simulation.run(image, contentOf(setting, image), LIMITS[scale]);
    visited += simulation.visited;
    sampled += simulation.sampledPoints;
    histories++;
  }
  console.log(
    `crash states visited: ${visited} in ${histories} histories, ${sampled} points sampled (seed ${firstSeed})`,
  );
  expect(visited).toBeGreaterThanOrEqual(wanted);
});
