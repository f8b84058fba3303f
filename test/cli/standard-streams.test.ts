/** Standard streams that are closed, full, thrown away or no longer read: what was not delivered is no success. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, testWith, tool } from "../support/peers.js";
import { sampled } from "../support/runs.js";
import { cliPath, type Fill, makeDamaged, makeDisk, parablock, startParablock } from "./command.js";

const file = temporaryFolder();
makeDisk(file("a.hds"), { size: 2 ** 20, fills: [[0, 512, 1]] });
makeDisk(file("empty.hds"), { size: 2 ** 20 });

/** Every command that prints, with exit codes of its own for trouble. */
const PRINTING: [args: string[], trouble: number][] = [
  [["create", file("new.hds"), "1M"], 1],
  [["create", "--json", file("new.hds"), "1M"], 1],
  [["info", file("a.hds")], 1],
  [["info", "--json", file("a.hds")], 1],
  [["map", file("a.hds")], 1],
  [["map", "--json", file("a.hds")], 1],
  [["map", "--svg", "-", file("a.hds")], 1],
  [["convert", file("a.hds"), "-"], 1],
  [["convert", file("empty.hds"), "-"], 1],
  [["compare", file("a.hds"), file("a.hds")], 2],
  [["compare", "--json", file("a.hds"), file("a.hds")], 2],
  [["check", file("a.hds")], 1],
  [["check", "--json", file("a.hds")], 1],
  [["check", "--repair", "all", file("damaged.hds")], 1],
  [["bench", "--seconds", "0.1", file("a.hds")], 1],
  [["--help"], 1],
  [["--version"], 1],
  [["help", "convert"], 1],
  [["convert", "--help"], 1],
];

/** Runs `parablock` in a shell's words, such as `"$@" >&-`. */
const inShell = (words: string, args: string[]): SpawnSyncReturns<string> =>
  spawnSync("sh", ["-c", words, "sh", process.execPath, cliPath, ...args], { encoding: "utf8" });

const names = () => readdirSync(dirname(file("x"))).sort();

beforeEach(() => {
  rmSync(file("damaged.hds"), { force: true });
  makeDamaged(file("damaged.hds"), { [64 + 4 * 2]: 0x7fffffff });
});

const ONE_LINE = /^parablock: [^\n]+\n$/;

describe.skipIf(process.platform !== "linux")("standard output that is closed", () => {
  it.each(sampled(PRINTING, 6))("is an error before anything is changed: %j", (args, trouble) => {
    const [before, damaged] = [names(), readFileSync(file("damaged.hds"))];
    for (const words of ['"$@" >&-', 'exec >&-; "$@"; exit $?']) {
      const { status, stderr } = inShell(words, args);
      expect(stderr).toMatch(ONE_LINE);
      expect(stderr).toContain("standard output is closed");
      expect(status).toBe(trouble);
    }
    expect(names()).toEqual(before);
    expect(readFileSync(file("damaged.hds"))).toEqual(damaged);
  });

  it("does not matter where nothing is printed", () => {
    expect(inShell('"$@" >&-', ["convert", file("a.hds"), file("quiet.raw")]).status).toBe(0);
    expect(inShell('"$@" >&-', ["map", "--svg", file("quiet.svg"), file("a.hds")]).status).toBe(0);
  });

  it("is told from output that is thrown away on purpose", () => {
    const args = ["info", file("a.hds")];
    for (const words of ['"$@" >/dev/null', 'exec >/dev/null; "$@"; exit $?', 'exec 1<>/dev/null; "$@"; exit $?'])
      expect(inShell(words, args)).toMatchObject({ status: 0, stderr: "" });
    const ignored = spawnSync(process.execPath, [cliPath, ...args], { stdio: ["pipe", "ignore", "pipe"] });
    expect([ignored.status, `${ignored.stderr}`]).toEqual([0, ""]);
  });

  testWith([tool("python3")], "is told from a Python program's DEVNULL", () => {
    const program =
      "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode)";
    const args = ["-c", program, process.execPath, cliPath, "info", file("a.hds")];
    expect(spawnSync("python3", args, { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });
});

describe.skipIf(!existsSync("/dev/full"))("standard output that takes nothing", () => {
  it.each(sampled(PRINTING, 8))("is an error: %j", (args, trouble) => {
    const { status, stderr } = inShell('"$@" >/dev/full', [...args, ...(args[0] === "create" ? ["--force"] : [])]);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain("writing to standard output failed");
    expect(status).toBe(trouble);
    expect(names().filter((name) => name.includes("part-"))).toEqual([]);
  });
});

describeWith([tool("python3")], "a pipe that does not wait for its reader", () => {
  it("gets all of a long list", () => {
    const fills = Array.from({ length: 4096 }, (_, i): Fill => [i * 2048, 512, 1]);
    makeDisk(file("long.hds"), { size: 8 * 2 ** 20, clusterSize: 512, fills });
    for (const args of [
      ["map", "--json", file("long.hds")],
      ["info", file("long.hds")],
    ]) {
      const { status, stdout, stderr } = spawnSync("python3", ["-c", HASTY, process.execPath, cliPath, ...args], {
        maxBuffer: 2 ** 24,
      });
      expect([status, `${stderr}`]).toEqual([0, ""]);
      expect(`${stdout}` === parablock(args).stdout).toBe(true);
    }
  });

  /** Reads slowly from a pipe that is full, and says so to whoever writes, instead of having it wait. */
  const HASTY = `
import os, subprocess, sys, time
reader, writer = os.pipe()
os.set_blocking(writer, False)
child = subprocess.Popen(sys.argv[1:], stdout=writer)
os.close(writer)
time.sleep(0.5)
while piece := os.read(reader, 65536):
    sys.stdout.buffer.write(piece)
sys.exit(child.wait())
`;
});

describe("a reader that is gone", () => {
  it.each([
    [["compare", file("a.hds"), file("empty.hds")], 1],
    [["compare", file("a.hds"), file("a.hds")], 0],
    [["check", file("damaged.hds")], 2],
    [["info", file("a.hds")], 0],
  ])("does not change what was found: %j ends with %d", async (args, code) => {
    const child = startParablock(args);
    child.stdout!.destroy();
    expect(await once(child, "close")).toEqual([code, null]);
  });
});

describe.skipIf(process.platform !== "linux")("standard input that is closed", () => {
  it("is no empty disk", () => {
    for (const out of [file("input.hds"), file("input.raw"), "-"]) {
      const { status, stdout, stderr } = inShell('"$@" <&-', ["convert", "-", out]);
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^parablock: standard input is closed[^\n]*\n$/);
    }
    expect(names().filter((name) => name.startsWith("input"))).toEqual([]);
    expect(inShell('"$@" </dev/null', ["convert", "-", file("input.raw")]).status).toBe(0);
  });
});

describe("standard error that takes nothing", () => {
  it.each(["2>&-", "2>/dev/full", ">&- 2>&-"])("does not change how a command ends: %s", (redirection) => {
    const run = (args: string[]) => inShell(`"$@" ${redirection}`, args);
    expect(run(["info", file("absent")])).toMatchObject({ status: 1, signal: null });
    expect(run(["compare", file("a.hds"), file("absent")])).toMatchObject({ status: 2, signal: null });
    expect(run(["nonsense"])).toMatchObject({ status: 2, signal: null });
    expect(run(["convert", "--force", file("a.hds"), file("deaf.raw")])).toMatchObject({ status: 0, signal: null });
  });
});

it("says nothing else on standard error", () => {
  expect(parablock(["info", file("a.hds")])).toMatchObject({ status: 0, stderr: "" });
});
