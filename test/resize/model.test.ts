/** Resize against a plain byte array: images of every kind, grown, shrunk, written and reopened in any order. */
import fc from "fast-check";
import { describe, test } from "vitest";
import type { Format } from "../../src/format/header.js";
import { combinations } from "../support/faces.js";
import { runs } from "../support/runs.js";
import { type Plan, ResizeWorld } from "./world.js";

/** Of small clusters many, so that the BAT needs the place of some. */
const TRACKS = [1, 1, 1, 2, 3, 8, 63, 504, 2048];

const plans: fc.Arbitrary<Plan> = fc
  .record({
    format: fc.constantFrom<Format>("v1", "v2"),
    tracks: fc.constantFrom(...TRACKS),
    clusters: fc.integer({ min: 1, max: 40 }),
    base: fc.constantFrom(undefined, undefined, 0.6, 1, 2.5, 12),
    phase: fc.constantFrom(undefined, undefined, 0, 1, 7),
    granularity: fc.constantFrom(undefined, undefined, 1, 2, 8, 128),
    seed: fc.nat(),
  })
  .map((plan) => {
    const few = plan.tracks > 60;
    const clusters = few ? Math.ceil(plan.clusters / 14) : plan.clusters;
    const phased = plan.format === "v1" && plan.base === undefined && plan.granularity === undefined;
    const phase = phased ? plan.phase : undefined;
    const most = few ? 8 : plan.tracks > 1 ? 300 : 900;
    return { ...plan, clusters, most, ...(phase === undefined ? { phase } : { phase: phase % plan.tracks }) };
  });

const VERBS = ["resize", "resize", "write", "write", "write", "clear", "reopen"] as const;

describe.each(combinations)("A disk that is resized ($face face, $engine engine)", ({ face, engine }) => {
  test("reads as what was written, with zeros in what was added", async () => {
    const property = fc.asyncProperty(
      plans,
      fc.array(fc.constantFrom(...VERBS), { maxLength: 24 }),
      async (plan, verbs) => {
        const world = await ResizeWorld.begin(face, engine, plan);
        for (const verb of verbs) {
          await world[verb]();
          await world.expectSame();
        }
        await world.reopen();
        await world.expectSame();
        await world.disk.close();
      },
    );
    await fc.assert(property, runs(120, 8));
  });
});
