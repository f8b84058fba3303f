import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { almostImage } from "../../fuzz/almost-images.js";
import { DiskSync } from "../../src/disk-sync.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { qemu, qemuCheck, qemuConvert } from "../peers/qemu.js";
import { firstDifference } from "../support/bytes.js";
import { temporaryFolder } from "../support/folder.js";
import { testWith } from "../support/peers.js";
import { randomFrom } from "../support/random.js";
import { runs, thorough } from "../support/runs.js";
import { type Outcome, Trial } from "./repair-trial.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(20_000, 600);
const QEMU_SAMPLE = thorough ? 40 : 6;
const path = temporaryFolder();

/** Runs what is to hold of the image of a seed. @throws Error that says how to see it again */
function withImage<T>(seed: number, run: (trial: Trial) => T): T {
  const random = randomFrom(seed);
  const { bytes, lines } = almostImage(random);
  try {
    return run(new Trial(bytes, random));
  } catch (error) {
    const message = [(error as Error).message, `PARABLOCK_SEED=${seed} plays it again:`, ...lines].join("\n  ");
    throw new Error(message, { cause: error });
  }
}

test("whatever a file is like, a repair loses nothing that could be read, and nothing that nobody refers to", {
  timeout: Math.max(600_000, 40 * wanted),
}, () => {
  const outcomes: Record<Outcome, number> = { unreadable: 0, refused: 0, sound: 0, repaired: 0 };
  for (let seed = firstSeed; seed < firstSeed + wanted; seed++) outcomes[withImage(seed, (trial) => trial.run())]++;
  console.log(`mutated images: ${JSON.stringify(outcomes)} (seed ${firstSeed})`);
  // Many of them must have come as far as a repair, or little was tested.
  expect(outcomes.repaired).toBeGreaterThan(wanted / 5);
});

testWith(qemu, "QEMU finds nothing wrong with what was repaired in two steps, and reads the same", () => {
  let judged = 0;
  for (let seed = firstSeed; judged < QEMU_SAMPLE; seed++) {
    withImage(seed, (trial) => {
      const repaired = trial.repaired();
      const disk = repaired && DiskSync.open(new MemoryStorage(repaired), { readOnly: true });
      // QEMU refuses every format extension, believes no empty flag, and takes no disk of no size.
      const plain =
        disk && !disk.info.extension.present && !disk.info.emptyFlag && disk.size > 0 && disk.size < 2 ** 20;
      if (!plain) return;
      const content = new Uint8Array(disk.size);
      disk.read(content, 0);
      const [image, raw] = [path("repaired.hds"), path("repaired.raw")];
      writeFileSync(image, repaired);
      qemuCheck(image);
      qemuConvert(image, raw);
      expect(firstDifference(readFileSync(raw), content)).toBe(-1);
      judged++;
    });
  }
});
