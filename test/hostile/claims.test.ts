/** Small files that claim much cost memory by what they hold. Each face and engine has a process of its own. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bundleForNode } from "../support/child.js";
import { combinations } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";

const file = temporaryFolder();
/** In MiB, over what an ordinary image takes. */
const BOUND = 64;

const program = bundleForNode(
  { entryPoints: [fileURLToPath(new URL("claims-program.ts", import.meta.url))] },
  file("claims.mjs"),
);

describe.each(combinations)("Small files that claim much, with $engine, $face", ({ face, engine }) => {
  it("are opened, mapped, read and checked within 64 MiB", () => {
    const printed = execFileSync(process.execPath, ["--expose-gc", program, face, engine], { encoding: "utf8" });
    const [[, ordinary], ...claims] = JSON.parse(printed) as [name: string, peak: number][];
    expect(claims.length).toBeGreaterThan(8);
    for (const [name, peak] of claims) expect(peak - ordinary, `${name}: ${printed}`).toBeLessThan(BOUND);
  });
});
