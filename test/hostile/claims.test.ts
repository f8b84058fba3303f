/** Small files that claim much cost memory by what they hold. Each face and engine has a process of its own. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bundleForNode } from "../support/child.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { allOfCi, testWith } from "../support/peers.js";
import { thorough } from "../support/runs.js";
import { SparseStorage } from "../support/sparse-storage.js";
import { emptyWithLongBat } from "./claims.js";

const file = temporaryFolder();
/** In MiB, over what an ordinary image takes. */
const BOUND = 64;

const program = bundleForNode(
  { entryPoints: [fileURLToPath(new URL("claims-program.ts", import.meta.url))] },
  file("claims.mjs"),
);

describe.each(thorough ? combinations : combinations.filter(({ face, engine }) => face === "async" && engine === "js"))(
  "Small files that claim much, with $engine, $face",
  ({ face, engine }) => {
    testWith([allOfCi], "are opened, mapped, read and checked within 64 MiB", () => {
      const printed = execFileSync(process.execPath, ["--expose-gc", program, face, engine], { encoding: "utf8" });
      const [[, ordinary], ...claims] = JSON.parse(printed) as [name: string, peak: number][];
      expect(claims.length).toBeGreaterThan(8);
      for (const [name, peak] of claims) expect(peak - ordinary, `${name}: ${printed}`).toBeLessThan(BOUND);
    });

    it("stay small when they are written to: an empty flag over a BAT of 256 MiB", async () => {
      const { size, parts } = emptyWithLongBat;
      const storage = new SparseStorage(size, parts);
      storage.written = 0;
      const bytes = new Uint8Array(4096).fill(7);
      const disk = await openDisk(face, storage, { engine });
      await disk.write(bytes, 2 ** 30);
      await disk.close();
      expect(storage.written).toBeLessThan(8 * 2 ** 20);
      const again = await openDisk(face, storage, { engine, readOnly: true });
      expect(again.info.emptyFlag).toBe(false);
      expect(await readRange(again, 2 ** 30, 4096)).toEqual(bytes);
      // The entry that the file had there led somewhere before the flag was cleared.
      expect(await readRange(again, 0, 512)).toEqual(new Uint8Array(512));
      await again.close();
    });
  },
);
