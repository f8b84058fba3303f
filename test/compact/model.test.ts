/** Compacting against a plain byte array: what a disk reads as never changes, and the file is as small as was foretold. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { plans, steps, type Verb, World } from "../model/world.js";
import { fewCombinations } from "../support/faces.js";
import { runs } from "../support/runs.js";

const VERBS: Verb[] = [
  ...Array<Verb>(6).fill("write"),
  ...Array<Verb>(3).fill("discard"),
  ...Array<Verb>(2).fill("writeZeroes"),
  ...Array<Verb>(2).fill("compact"),
  "flush",
  "reopen",
  "crash",
];

describe.each(fewCombinations)("Compacting a disk ($face face, $engine engine)", ({ face, engine }) => {
  it("gains what it foretells, and changes nothing that is read", async () => {
    const property = fc.asyncProperty(
      plans(face),
      fc.array(steps(...VERBS), { maxLength: 40, size: "max" }),
      fc.boolean(),
      fc.integer({ min: 1, max: 12 }),
      async (plan, todo, order, windowClusters) => {
        const world = await World.make(plan, face, engine);
        for (const step of todo) await world.step(step);
        await world.compact(order, windowClusters);
        await world.reopen();
      },
    );
    await fc.assert(property, runs(80, 15));
  });
});
