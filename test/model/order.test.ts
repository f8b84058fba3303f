import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combinations } from "../support/faces.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { RuleStorage } from "../support/rules.js";
import { runs } from "../support/runs.js";
import { ShuffledStorage } from "../support/storages.js";
import { plans, rangeOf, steps, World } from "./world.js";

describe.each(combinations)("What a disk does to its file ($face face, $engine engine)", ({ face, engine }) => {
  it("happens in an order that survives a loss of power at any moment", async () => {
    const property = fc.asyncProperty(
      plans(face).filter(({ clusterSize }) => clusterSize <= 4096),
      fc.array(
        fc.array(steps("write", "write", "write", "discard", "writeZeroes", "flush", "reopen"), { maxLength: 6 }),
        {
          maxLength: 10,
          size: "max",
        },
      ),
      async (plan, batches) => {
        const watched: RuleStorage[] = [];
        const world = await World.make(plan, face, engine, (memory) => {
          const rules = new RuleStorage(memory);
          watched.push(rules);
          return face === "async" ? new ShuffledStorage(rules, randomFrom(plan.seed)) : rules;
        });
        for (const batch of batches) {
          const requests = batch.map(async (step) => {
            // Some begin while others are half done.
            for (let turns = face === "async" ? step.tag % 30 : 0; turns > 0; turns--) await setImmediate();
            const { offset, length } = rangeOf(step, plan.size, plan.clusterSize);
            if (step.verb === "write") return world.disk.write(patternBytes(step.tag, length), offset);
            if (step.verb === "flush") return world.disk.flush();
            if (step.verb !== "reopen") return world.disk[step.verb as "discard"](offset, length);
          });
          await Promise.all(requests);
          await world.readModel();
          if (batch.some(({ verb }) => verb === "reopen")) await world.reopen();
          expect(watched.flatMap(({ broken }) => broken)).toEqual([]);
        }
        await world.reopen();
        expect(watched.flatMap(({ broken }) => broken)).toEqual([]);
      },
    );
    await fc.assert(property, runs(100, 60));
  });
});
