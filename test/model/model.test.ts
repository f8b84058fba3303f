import fc from "fast-check";
import { describe, it } from "vitest";
import { combinations } from "../support/faces.js";
import { runs } from "../support/runs.js";
import { plans, steps, type Verb, World } from "./world.js";

const VERBS: Verb[] = [
  ...Array<Verb>(6).fill("write"),
  ...Array<Verb>(2).fill("read"),
  ...Array<Verb>(2).fill("discard"),
  ...Array<Verb>(2).fill("writeZeroes"),
  "flush",
  "blockStatus",
  "beyond",
  "reopen",
  "crash",
];

describe.each(combinations)("A disk ($face face, $engine engine)", ({ face, engine }) => {
  it("never differs from a plain byte array, whatever is done to it", async () => {
    const property = fc.asyncProperty(
      plans(face),
      fc.array(steps(...VERBS), { maxLength: 40, size: "max" }),
      async (plan, todo) => {
        const world = await World.make(plan, face, engine);
        for (const step of todo) await world.step(step);
        await world.compare();
        await world.reopen();
      },
    );
    await fc.assert(property, runs(80, 40));
  });
});
