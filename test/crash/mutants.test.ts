import { afterEach, describe, expect, test, vi } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { playHistory } from "./history.js";
import { Violation } from "./judge.js";
import { type Mutant, mutants } from "./mutants.js";
import type { Limits } from "./session.js";
import { contentOf, randomSetting, type Start, startImage } from "./setting.js";
import { Simulation } from "./simulation.js";
import { wholeMutants } from "./whole-mutants.js";

const { seed: firstSeed = Date.now() % 2 ** 31 } = runs(1);

const LIMITS: Omit<Limits, "losing"> = {
  steps: 30,
  changes: 3,
  exhaustive: 256,
  sampled: 30,
  states: 1000,
  descend: 0,
  generations: 1,
};

const PLAIN_STARTS: readonly Start[] = ["new", "used", "derived", "shifted"];

/** A mutant that is not caught within so many states is as good as not caught. */
const MOST_STATES = 20_000;

/** Plays histories until the simulator complains; answers the complaint and after how many states it came. */
function complaintOf({ make, losing, scale = "small", extended = false, over = false }: Mutant): {
  message: string;
  states: number;
} {
  let states = 0;
  for (let seed = firstSeed; states < MOST_STATES; seed++) {
    const random = randomFrom(seed);
    // The JavaScript engine can be changed from here; the judge has the other one.
    const drawn = randomSetting(random, scale);
    const setting = {
      ...drawn,
      // An image that is flagged as empty is zeroed first, where a mutant may be caught for something else.
      start: extended ? ("extended" as const) : PLAIN_STARTS.includes(drawn.start) ? drawn.start : ("used" as const),
      engine: "js" as const,
      features: { punch: false, allocate: false },
      ...(over ? { base: new MemoryStorage(patternBytes(0xba5e, 2 * drawn.size)) } : {}),
    };
    const image = startImage(setting, random);
    const content = contentOf(setting, image);
    const between = make();
    const simulation = new Simulation(seed, setting, (session) => playHistory(session, between), "wasm");
    try {
      simulation.run(image, content, { ...LIMITS, losing });
    } catch (error) {
      if (error instanceof Violation) return { message: error.message, states: states + simulation.visited };
      throw error;
    } finally {
      vi.restoreAllMocks();
    }
    states += simulation.visited;
  }
  return { message: "nothing", states };
}

describe("the simulator catches an engine that breaks a rule", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  for (const mutant of [...mutants, ...wholeMutants]) {
    test(`rule ${mutant.rule}: ${mutant.name}`, () => {
      const { message, states } = complaintOf(mutant);
      expect(message).toMatch(mutant.complaint);
      expect(states).toBeLessThan(MOST_STATES);
      console.log(`mutant of rule ${mutant.rule}: caught after ${states} states (seed ${firstSeed})`);
    });
  }
});
