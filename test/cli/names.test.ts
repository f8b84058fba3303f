/** File names that a terminal would obey reach it as text that it only shows, in reports as in errors. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampled } from "../support/runs.js";
import { cliPath, makeDisk, parablock } from "./command.js";

const NAME = "a\u001b[31mred\u001b]0;title\u0007\u009b2Jb\nx: no errors\r\u202e.hds";
const SHOWN = "a\\u001b[31mred\\u001b]0;title\\u0007\\u009b2Jb\\nx: no errors\\r\\u202e.hds";

let folder: string;
let disk: string;
let raw: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parablock-names-"));
  disk = join(folder, NAME);
  raw = join(folder, `${NAME}.raw`);
  makeDisk(disk, { size: 2 ** 20, clusterSize: 4096, fills: [[0, 5000, 7]] });
  writeFileSync(raw, new Uint8Array(2 ** 20 + 512));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Nothing but lines of printable characters. */
const LINES = /^([^\p{Cc}\p{Bidi_Control}]*\n)*$/u;

const commands: [string, () => string[]][] = [
  ["info", () => ["info", disk]],
  ["check", () => ["check", disk]],
  ["map", () => ["map", disk]],
  ["map --svg -", () => ["map", "--svg", "-", disk]],
  ["compare", () => ["compare", disk, raw]],
  ["create", () => ["create", join(folder, `new-${NAME}`), "1M"]],
  ["info of nothing", () => ["info", join(folder, `none-${NAME}`)]],
  ["info of a raw file", () => ["info", raw]],
  ["check of a folder", () => ["check", folder]],
  ["create over what exists", () => ["create", disk, "1M"]],
  ["convert onto itself", () => ["convert", disk, disk]],
  ["convert to another's name", () => ["convert", disk, join(folder, `${NAME}.qcow2`)]],
  ["convert into no folder", () => ["convert", disk, join(folder, `${NAME}-folder`, "x.raw")]],
  ["an option that is none", () => ["info", `--${NAME}`, disk]],
  ["a command that is none", () => [NAME]],
  ["a size that is none", () => ["create", join(folder, "y.hds"), NAME]],
  ["too many names", () => ["info", disk, disk]],
  ["check --undo of a backup that is none", () => ["check", "--undo", join(folder, `none-${NAME}`), disk]],
  ["with --debug", () => ["info", "--debug", join(folder, `none-${NAME}`)]],
];

describe("A name with escape sequences and line ends", () => {
  it.each(sampled(commands, 2))("is shown as text by %s", (title, args) => {
    const { stdout, stderr } = parablock(args());
    expect(stdout).toMatch(LINES);
    expect(stderr).toMatch(LINES);
    if (stderr !== "" && !title.includes("debug")) expect(stderr.split("\n").length).toBe(2);
    for (const line of stdout.split("\n")) expect(line).not.toMatch(/^x: no errors/);
  });

  it("is shown whole in reports", () => {
    expect(parablock(["check", disk]).stdout).toContain(`${join(folder, SHOWN)}: no errors\n`);
    expect(parablock(["info", disk]).stdout).toContain(join(folder, SHOWN));
    expect(parablock(["info", join(folder, `none-${NAME}`)]).stderr).toContain(SHOWN);
  });

  it.each(["info", "check"])("is itself in the JSON of %s, which is printable", (command) => {
    const { stdout } = parablock([command, "--json", disk]);
    expect(stdout).toMatch(LINES);
    expect(JSON.parse(stdout).filename).toBe(disk);
  });
});

/** Arguments of bytes, as a shell passes them on. */
function withBytes(...args: string[]): { status: number | null; stderr: string } {
  const words = args.map((word) => `"$(printf %b '${word}')"`).join(" ");
  const script = `cd "$2" && exec "$0" "$1" ${words}`;
  const { status, stderr } = spawnSync("bash", ["-c", script, process.execPath, cliPath, folder]);
  return { status, stderr: stderr.toString() };
}

describe.skipIf(process.platform !== "linux")("A name that is not UTF-8", () => {
  beforeAll(() => {
    makeDisk(join(folder, "disk.hds"), { size: 65536 });
    writeFileSync(join(folder, "raw.img"), new Uint8Array(65536));
  });

  const refused = /^parablock: .* is not valid UTF-8, and would be the name of another file: rename the file.*\n$/;

  it.each([
    [["create", "new\\xff.hds", "1M"]],
    [["info", "disk\\xff.hds"]],
    [["convert", "raw.img", "out\\xe9.hds"]],
    [["convert", "--base", "b\\xc3.raw", "disk.hds", "out.raw"]],
    [["map", "--svg", "p\\xff.svg", "disk.hds"]],
  ])("is refused: %j", (args) => {
    const before = readdirSync(folder).sort();
    const { status, stderr } = withBytes(...args);
    expect(stderr).toMatch(refused);
    expect(status).toBeGreaterThan(0);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it("is not one that has the replacement character by right, there already or new", () => {
    for (const name of ["right\\xef\\xbf\\xbd.hds", "r\\xc3\\xa9al.hds"]) {
      expect(withBytes("create", name, "1M")).toEqual({ status: 0, stderr: "" });
      expect(withBytes("info", name)).toEqual({ status: 0, stderr: "" });
    }
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(["right\ufffd.hds", "r\u00e9al.hds"]));
  });
});
