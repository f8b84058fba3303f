import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiskError } from "../../src/errors.js";
import { combinations, readRange } from "../support/faces.js";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { FailingStorage, InjectedError } from "../support/storages.js";
import { expectSame, plans, rangeOf, type Step, steps, World } from "./world.js";

/** Carries out a step on a storage that may fail; a request that fails leaves each byte old or new, and others alone. */
async function attempt(world: World, step: Step, failing: FailingStorage): Promise<void> {
  const before = world.model.slice();
  failing.likelihood = 0.2;
  try {
    await world.step(step);
    return;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    expect(error).toMatchObject({ code: "IO", cause: expect.any(InjectedError) });
  } finally {
    failing.likelihood = 0;
  }
  const { offset, length } = rangeOf(step, world.plan.size, world.plan.clusterSize);
  if (step.verb === "discard" || step.verb === "writeZeroes") world.clear(step.verb, offset, length);
  const now = await readRange(world.disk);
  const expected = now.map((byte, index) => {
    const inside = index >= offset && index < offset + length && step.verb !== "flush";
    return inside && byte === world.model[index] ? byte : before[index];
  });
  expectSame(now, expected, 0);
  world.model.set(now);
}

/** Tries to close; a disk whose close failed goes on. */
async function closes(world: World, failing: FailingStorage): Promise<boolean> {
  failing.likelihood = 0.4;
  try {
    await world.disk.close();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "IO", cause: expect.any(InjectedError) });
    return false;
  } finally {
    failing.likelihood = 0;
  }
}

describe.each(combinations)("A storage error ($face face, $engine engine)", ({ face, engine }) => {
  it("fails its request alone, and the disk stays whole and usable", async () => {
    const property = fc.asyncProperty(
      plans(face),
      fc.array(steps("write", "write", "write", "discard", "writeZeroes", "flush", "read"), {
        maxLength: 25,
        size: "max",
      }),
      async (plan, todo) => {
        let failing!: FailingStorage;
        const random = randomFrom(plan.seed);
        const world = await World.make(plan, face, engine, (memory) => {
          failing = new FailingStorage(memory, random);
          return failing;
        });
        world.wasteful = true;
        for (const step of todo) {
          await attempt(world, step, failing);
          if (step.tag % 8 === 0 && (await closes(world, failing))) await world.reopen();
        }
        await world.reopen();
      },
    );
    await fc.assert(property, runs(40, 20));
  });
});
