/** The example as its users start it. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { beforeAll, expect, it } from "vitest";
import { GRUB_OUTPUT } from "../../examples/grub-disk.js";
import { temporaryFolder } from "../support/folder.js";
import { allOfCi, describeWith, testWith } from "../support/peers.js";
import { bios, grub } from "./needs.js";

const path = temporaryFolder();
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Inside the repository, where v86 is found. */
const PROGRAM = `${ROOT}artifacts/test-example-node-v86.mjs`;

beforeAll(() => {
  buildSync({
    ...{ entryPoints: [`${ROOT}examples/node-v86.ts`], outfile: PROGRAM, logLevel: "error" },
    ...{ bundle: true, platform: "node", format: "esm", target: "node20", packages: "external" },
  });
});

function run(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [PROGRAM, ...args], {
    ...{ cwd: path("."), encoding: "utf8", env: { ...process.env, ...env } },
  });
}

describeWith([bios, grub], "example:node-v86", () => {
  testWith([allOfCi], "makes a GRUB disk, boots it and ends well; the next start finds what the guest wrote", () => {
    const first = run([]);
    expect(first.stdout).toContain(GRUB_OUTPUT.firstStart);
    expect(first.stdout).toContain(GRUB_OUTPUT.done);
    expect(first.status, first.stderr).toBe(0);
    const image = readFileSync(path("demo-out/grub.hds"));
    const second = run(["demo-out/grub.hds", "--snapshot", "--until", GRUB_OUTPUT.laterStart]);
    expect(second.status, second.stderr).toBe(0);
    expect(second.stdout).toContain(GRUB_OUTPUT.laterStart);
    expect(Buffer.compare(readFileSync(path("demo-out/grub.hds")), image)).toBe(0);
  });

  it("fails where the text does not come in time", () => {
    const { status, stderr } = run(["--until", "never said", "--timeout", "1"]);
    expect(stderr).toContain('given up, after 1 s before "never said"');
    expect(status).toBe(1);
  });
});

it("example:node-v86 says what is missing: an image, or a BIOS and where to get one", () => {
  const image = run(["none.hds"]);
  expect(image.stderr).toMatch(/none\.hds does not exist/);
  expect(image.status).toBe(1);
  expect(existsSync(path("none.hds"))).toBe(false);
  const noBios = run([], { SEABIOS: path(".") });
  expect(noBios.stderr).toContain("apt install seabios");
  expect(noBios.status).toBe(1);
});
