import { expect, test } from "vitest";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { playHistory } from "./history.js";
import { playOverlapping } from "./overlapping-history.js";
import type { Limits } from "./session.js";
import { contentOf, randomSetting, type Scale, startImage } from "./setting.js";
import { Simulation } from "./simulation.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(20_000, 1_000);
const timeout = Math.max(600_000, 5 * wanted);

const LIMITS: Limits = {
  losing: "nothing",
  steps: 60,
  changes: 25,
  exhaustive: 0,
  sampled: 0,
  states: 400,
  descend: 0.01,
  generations: 3,
};

/** Plays histories in which nothing is lost, until the process has died so many times. */
async function dieOften(title: string, play: (simulation: Simulation, image: Uint8Array) => void | Promise<void>) {
  let [deaths, histories] = [0, 0];
  for (let seed = firstSeed; deaths < wanted; seed++, histories++) {
    const scale: Scale = seed % 4 === 0 ? "large" : "small";
    const random = randomFrom(seed);
    const setting = randomSetting(random, scale);
    const image = startImage(setting, random);
    const simulation = new Simulation(seed, setting, playHistory);
    await play(simulation, image);
    deaths += simulation.visited;
  }
  console.log(`deaths of the process, ${title}: ${deaths} in ${histories} histories (seed ${firstSeed})`);
  expect(deaths).toBeGreaterThanOrEqual(wanted);
}

test("a process that dies after any request leaves a prefix of the writes that had completed", { timeout }, () =>
  dieOften("one request at a time", (simulation, image) =>
    simulation.run(image, contentOf(simulation.setting, image), LIMITS),
  ),
);

test("with requests in flight, only those may show beside the prefix", { timeout }, () =>
  dieOften("several in flight", (simulation, image) =>
    simulation.runAsync(image, contentOf(simulation.setting, image), LIMITS, playOverlapping),
  ),
);
