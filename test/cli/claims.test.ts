/** The commands on small files that claim much: memory, and signals at any time. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { expect, it } from "vitest";
import { claims } from "../hostile/claims.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, type Need } from "../support/peers.js";
import { sampled, thorough } from "../support/runs.js";
import { cliPath } from "./command.js";

const file = temporaryFolder();
const linux: Need = { name: "Linux", present: process.platform === "linux", required: false };

/** In MiB, over what `info` of an ordinary image takes. */
const BOUND = 64;

/** The files, sparse. */
const paths = new Map(
  claims.map(({ name, size, parts }, index) => {
    const path = file(`claim-${index}.hds`);
    const fd = openSync(path, "w");
    for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset);
    ftruncateSync(fd, size);
    closeSync(fd);
    return [name, path];
  }),
);
const pathOf = (name: string): string => {
  const path = paths.get(name);
  if (path === undefined) throw new Error(`there is no claim "${name}"`);
  return path;
};

/** Makes a process write its peak memory in KiB to a file when it ends. */
writeFileSync(
  file("peak.mjs"),
  `import { writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)));`,
);

/** The peak of a command in MiB; it must end by itself, without a crash. */
function peakOf(args: string[]): number {
  const env = { ...process.env, PEAK: file("peak") };
  const { status, stderr } = spawnSync(process.execPath, ["--import", file("peak.mjs"), cliPath, ...args], {
    env,
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  expect([0, 1, 2, 3], `${args.join(" ")}: ${stderr}`).toContain(status);
  expect(stderr.toString()).not.toMatch(/memory|\n.*\n/);
  return Number(readFileSync(file("peak"), "utf8")) / 1024;
}

const SAMPLES = [
  "a disk of 8 PiB",
  "a BAT of 2 GiB",
  "an extension of 2 GiB that is a hole",
  "an extension of 2 GiB with a table of 2^28 entries",
];

describeWith([linux], "Small files that claim much", () => {
  const ordinary = () => peakOf(["info", pathOf("an ordinary image")]);

  it.each(sampled(SAMPLES, 4))("cost every command little memory: %s", (name) => {
    const path = pathOf(name);
    const bound = ordinary() + BOUND;
    for (const args of [
      ["info", path],
      ["map", path],
      ["map", "--json", path],
      ["map", "--force", "--svg", file("claim.svg"), path],
      ["check", path],
      ["compare", path, path],
      ["convert", "--force", path, file("claim.raw")],
      ["convert", "--force", "--to", "parallels", "--cluster-size", "2096640K", path, file("claim-out.hds")],
    ]) {
      expect(peakOf(args), args.join(" ")).toBeLessThan(bound);
    }
  });
});

/** Work that takes hours: holes of terabytes that no native call tells of, zeros for a disk of 8 PiB. */
const ENDLESS: [what: string, args: () => string[]][] = [
  ["checks a sparse file of 2 TiB", () => ["check", pathOf("an entry at the end of 2 TiB")]],
  ["compares sparse raw files", () => ["compare", rawFile("c.raw"), rawFile("d.raw")]],
  [
    "converts a sparse raw file to an image",
    () => ["convert", "--cluster-size", "64M", rawFile("a.raw"), file("a.hds")],
  ],
  ["converts a sparse raw file to another", () => ["convert", "--to", "raw", rawFile("b.raw"), file("b2.raw")]],
  ["prints a disk of 8 PiB", () => ["convert", pathOf("a disk of 8 PiB"), "-"]],
];

function rawFile(name: string): string {
  const fd = openSync(file(name), "w");
  ftruncateSync(fd, 2 ** 42);
  closeSync(fd);
  return file(name);
}

describeWith([linux], "A command that", () => {
  for (const [what, args] of sampled(ENDLESS, 4)) {
    it.each(thorough ? (["SIGINT", "SIGTERM"] as const) : (["SIGINT"] as const))(
      `${what} ends by %s`,
      async (signal) => {
        const child = spawn(process.execPath, [cliPath, ...args()], {
          env: { ...process.env, PARABLOCK_NO_NATIVE: "1" },
          stdio: ["ignore", openSync("/dev/null", "w"), "inherit"],
        });
        const closed = once(child, "close");
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect(child.exitCode, "it ended by itself").toBeNull();
        child.kill(signal);
        const patience = setTimeout(() => child.kill("SIGKILL"), 30_000);
        expect(await closed).toEqual([null, signal]);
        clearTimeout(patience);
      },
    );
  }
});
