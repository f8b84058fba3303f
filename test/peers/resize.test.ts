/** Disks that we resize, as QEMU checks and reads them. */
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { type Plan, ResizeWorld } from "../resize/world.js";
import { fewCombinations } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith } from "../support/peers.js";
import { runs } from "../support/runs.js";
import { qemu, qemuCheck, qemuCompare, qemuWrite } from "./qemu.js";

const path = temporaryFolder();

const plans: fc.Arbitrary<Plan> = fc.record({
  format: fc.constantFrom<Format>("v1", "v2"),
  tracks: fc.constantFrom(1, 1, 2, 8, 63, 128),
  clusters: fc.integer({ min: 1, max: 300 }),
  most: fc.constant(600),
  base: fc.constant(undefined),
  phase: fc.constant(undefined),
  granularity: fc.constant(undefined),
  seed: fc.nat(),
});

const VERBS = ["write", "write", "write", "clear", "resize"] as const;

describeWith(qemu, "QEMU", () => {
  describe.each(fewCombinations)("and the $face face with the $engine engine", ({ face, engine }) => {
    it("agree about a disk after each resize, and QEMU writes on it", async () => {
      const verbs = fc.array(fc.constantFrom(...VERBS), { minLength: 4, maxLength: 10 });
      const property = fc.asyncProperty(
        plans,
        fc.array(verbs, { minLength: 1, maxLength: 3 }),
        async (plan, rounds) => {
          const world = await ResizeWorld.begin(face, engine, plan);
          for (const round of rounds) {
            for (const verb of round) await world[verb]();
            await world.resize();
            await world.reopen();
            expectAgreement(world);
          }
          await world.disk.close();
          const { length } = world.model;
          if (length === 0) return;
          qemuWrite(path("resized.hds"), [{ offset: length - 512, length: 512, byte: 77 }]);
          world.model.fill(77, length - 512);
          writeFileSync(path("model.raw"), world.model);
          qemuCheck(path("resized.hds"));
          qemuCompare(path("resized.hds"), path("model.raw"));
        },
      );
      await fc.assert(property, runs(12, 4));
    });
  });
});

/** The image as it was closed last. */
function expectAgreement({ storage, model }: ResizeWorld): void {
  writeFileSync(path("resized.hds"), storage.toUint8Array());
  writeFileSync(path("model.raw"), model);
  qemuCheck(path("resized.hds"));
  qemuCompare(path("resized.hds"), path("model.raw"));
}
