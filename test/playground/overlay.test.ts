/** The overlay example, run as its command: a base image over HTTP, what the guest changes in OPFS. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect } from "vitest";
import { GRUB_OUTPUT } from "../../examples/grub-disk.js";
import { bios, grub } from "../adapters/needs.js";
import { browserNeeds } from "../browser/browser.js";
import { allOfCi, describeWith, testWith } from "../support/peers.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const COMMAND = "artifacts/example-overlay.mjs";

describeWith([...browserNeeds, bios, grub], "npm run example:overlay", () => {
  testWith(
    [allOfCi],
    "boots from a server, keeps the guest's changes in the browser, and boots again with them",
    async () => {
      const entryPoints = ["examples/overlay.ts"];
      const options = { bundle: true, platform: "node", format: "esm", packages: "external" } as const;
      await build({ entryPoints, outfile: COMMAND, absWorkingDir: root, ...options });
      const { stdout } = await promisify(execFile)(process.execPath, [COMMAND], { cwd: root });
      const [, first = "", second = ""] = stdout.split(/== The (?:first|second) boot/);
      for (const [boot, start] of [
        [first, GRUB_OUTPUT.firstStart],
        [second, GRUB_OUTPUT.laterStart],
      ] as const) {
        expect(boot).toContain(start);
        expect(boot).toContain(GRUB_OUTPUT.hello);
        expect(boot).toMatch(/65536 bytes changed/);
        const [, requests, share] = /(\d+) requests, \d+ bytes received \((\S+) % of the image\)/
          .exec(boot)!
          .map(Number);
        expect(requests).toBeLessThan(60);
        expect(share).toBeLessThan(50);
      }
    },
  );
});
