/** How the command ends: usage errors, --debug, readers that stop, Ctrl-C, and what a terminal shows. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, tool } from "../support/peers.js";
import { cliPath, type Fill, makeDisk, parablock, startParablock } from "./command.js";

const file = temporaryFolder();
const COMMANDS = ["create", "info", "map", "convert", "compare", "check", "bitmap", "bench"];

describe("parablock", () => {
  it("prints its version", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(parablock(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it.each(COMMANDS)("explains %s, with examples", (name) => {
    const { status, stdout } = parablock([name, "--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: parablock ${name}`);
    expect(stdout).toMatch(/Examples:\n {2}parablock /);
    expect(parablock(["help", name]).stdout).toBe(stdout);
  });

  it("prints its help and ends with 2 if there is no command", () => {
    const { status, stdout, stderr } = parablock([]);
    expect([status, stdout]).toEqual([2, ""]);
    for (const name of COMMANDS) expect(stderr).toContain(`  ${name} `);
  });

  it.each([
    ["creat"],
    ["create"],
    ["create", "x.hds", "12X"],
    ["create", "x.hds", "1G", "--format", "v3"],
    ["create", "x.hds", "1G", "--cluster-size", "big"],
    ["info"],
    ["info", "a", "b"],
    ["map", "--nonsense", "a"],
    ["convert", "a"],
    ["bench", "--seconds", "never"],
    ["--nonsense"],
  ])("ends with 2 and one line for the usage error %j %j %j %j", (...args) => {
    const { status, stdout, stderr } = parablock(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^parablock: [^\n]+ - see `parablock [^\n]*--help`\n$/);
  });

  it("prints a stack trace with --debug only, before the command's name or after it", () => {
    expect(parablock(["info", file("absent")]).stderr).not.toMatch(/^ +at /m);
    expect(parablock(["--debug", "info", file("absent")]).stderr).toMatch(/^ +at /m);
    expect(parablock(["info", file("absent"), "--debug"]).stderr).toMatch(/^ +at /m);
  });
});

describe("a reader that stops early", () => {
  it("ends the command quietly", async () => {
    const fills = Array.from({ length: 1024 }, (_, i): Fill => [i * 8192, 512, 1]);
    makeDisk(file("long.hds"), { size: 16 * 2 ** 20, clusterSize: 512, fills });
    for (const args of [
      ["map", file("long.hds")],
      ["map", "--json", file("long.hds")],
      ["convert", file("long.hds"), "-"],
    ]) {
      const child = startParablock(args);
      let stderr = "";
      child.stderr!.on("data", (chunk) => {
        stderr += chunk;
      });
      child.stdout!.once("data", () => child.stdout!.destroy());
      expect(await once(child, "close")).toEqual([0, null]);
      expect(stderr).toBe("");
    }
  });
});

describe.skipIf(!existsSync("/dev/full"))("a full device behind standard output", () => {
  it("is an error in one line that says what to do", () => {
    makeDisk(file("full.hds"), { size: 2 ** 20, fills: [[0, 512, 1]] });
    const full = openSync("/dev/full", "w");
    for (const args of [
      ["map", file("full.hds")],
      ["convert", file("full.hds"), "-"],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [cliPath, ...args], { stdio: ["ignore", full, "pipe"] });
      expect(status).toBe(1);
      expect(stderr.toString()).toMatch(
        /^parablock: writing to standard output failed: [^\n]* - free some space[^\n]*\n$/,
      );
    }
    closeSync(full);
  });
});

describe("Ctrl-C", () => {
  it.each([
    ["in.raw", []],
    ["in.hds", []],
    ["in.hds", ["--size", "1G"]],
  ])("leaves nothing of a half-written %s", async (name, args) => {
    writeFileSync(file(name), "before");
    const child = startParablock(["convert", "--force", "-", file(name), ...args]);
    child.stdin!.on("error", () => {}); // it ends before it has read everything
    child.stdin!.write(new Uint8Array(3 * 2 ** 20).fill(1));
    const begun = () => readdirSync(dirname(file("x"))).some((found) => found.includes("part-"));
    while (!begun()) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([null, "SIGINT"]);
    expect(begun()).toBe(false);
    expect(readFileSync(file(name), "utf8")).toBe("before");
  });
});

describeWith([tool("python3")], "parablock on a terminal", () => {
  /** Runs a command whose stderr, and stdout too if `all`, is a terminal; answers what that shows. */
  const onTerminal = (args: string[], all = false) =>
    spawnSync("python3", [
      "-c",
      TERMINAL,
      all ? "all" : "stderr",
      process.execPath,
      cliPath,
      ...args,
    ]).stdout.toString();

  it("shows a progress bar, and takes it away", () => {
    makeDisk(file("bar.hds"), { size: 64 * 2 ** 20, fills: [[0, 32 * 2 ** 20, 1]] });
    const shown = onTerminal(["convert", file("bar.hds"), file("bar.raw")]);
    expect(shown).toMatch(/Converting .*% \| .* of 64 MiB/);
    expect(existsSync(file("bar.raw"))).toBe(true);
  });

  it("refuses to print a disk there", () => {
    expect(onTerminal(["convert", file("bar.hds"), "-"], true)).toContain("standard output is a terminal");
  });
});

const TERMINAL = `
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
child = subprocess.Popen(sys.argv[2:], stderr=theirs, stdout=theirs if sys.argv[1] == "all" else subprocess.DEVNULL)
os.close(theirs)
try:
    while chunk := os.read(ours, 65536):
        os.write(1, chunk)
except OSError:
    pass
child.wait()
`;
