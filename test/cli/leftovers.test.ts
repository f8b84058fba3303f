/** Commands that fail close what they opened: without native calls a lock is a file, and none stays beside an image. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { sampled } from "../support/runs.js";
import { cliPath, type Fill, makeDamaged, makeDisk, parablock, patch, startParablock } from "./command.js";

process.env.PARABLOCK_NO_NATIVE = "1"; // the command inherits it

const file = temporaryFolder();
const fills = Array.from({ length: 1024 }, (_, i): Fill => [i * 8192, 512, 1]);
makeDisk(file("a.hds"), { size: 16 * 2 ** 20, clusterSize: 512, fills });
makeDamaged(file("entry.hds"), { [64 + 4 * 2]: 0x7fffffff });
makeDisk(file("header.hds"), { size: 65536 });
patch(file("header.hds"), { 28: 0 });
writeFileSync(file("b.raw"), new Uint8Array(65536).fill(1));
writeFileSync(file("there.raw"), "there");
writeFileSync(file("there.svg"), "there");
mkdirSync(file("folder"));

const names = () => readdirSync(dirname(file("x"))).sort();
const before = names();

afterEach(() => expect(names()).toEqual(before));

describe("a command that fails", () => {
  it.each(
    sampled(
      [
        "info header.hds",
        "info b.raw",
        "info absent",
        "map header.hds",
        "map b.raw",
        "map a.hds --base absent",
        "map a.hds --base folder",
        "map a.hds --base header.hds",
        "map header.hds --base b.raw",
        "map header.hds --base a.hds",
        "map a.hds --svg there.svg",
        "map a.hds --svg folder/no/where.svg",
        "compare a.hds absent",
        "compare a.hds header.hds",
        "compare header.hds a.hds",
        "compare a.hds a.hds --base-a b.raw --base-b absent",
        "compare b.raw a.hds --base-a a.hds",
        "compare entry.hds b.raw",
        "convert header.hds new.raw",
        "convert header.hds new.raw --base a.hds",
        "convert a.hds new.raw --base absent",
        "convert b.raw new.hds --base a.hds",
        "convert entry.hds new.raw",
        "convert entry.hds new.hds",
        "convert a.hds there.raw",
        "convert b.raw new.hds --cluster-size 1000",
        "convert a.hds folder/no/where.raw",
        "convert - there.raw --to parallels",
        "convert - new.hds --size 1M",
        "create new.hds 1M --cluster-size 1000",
        "convert absent b.raw -n",
        "convert a.hds b.raw -n",
        "convert b.raw header.hds -n",
        "convert b.raw absent -n",
        "convert entry.hds b.raw --no-create",
        "convert a.hds entry.hds -n",
        "check header.hds",
        "check --repair all header.hds",
        "check --repair leaks entry.hds",
        "check --undo b.raw entry.hds",
        "check --undo absent entry.hds",
        "bench b.raw",
      ],
      3,
    ).map((line) => [line]),
  )("leaves no lock file and nothing half-made: %s", (line) => {
    const args = line
      .split(" ")
      .map((word) =>
        /^-|\d|^(info|map|compare|convert|create|check|leaks|all|parallels|bench)$/.test(word) ? word : file(word),
      );
    expect(parablock(args).status).not.toBe(0);
  });

  it("leaves none when its reader stops", async () => {
    const child = startParablock(["map", file("a.hds")]);
    child.stdout!.once("data", () => child.stdout!.destroy());
    expect(await once(child, "close")).toEqual([0, null]);
  });

  it.skipIf(!existsSync("/dev/full"))("leaves none when its output cannot be written", () => {
    const full = openSync("/dev/full", "w");
    for (const args of [
      ["map", file("a.hds")],
      ["convert", file("a.hds"), "-"],
    ]) {
      const { status } = spawnSync(process.execPath, [cliPath, ...args], { stdio: ["ignore", full, "pipe"] });
      expect(status).toBe(1);
    }
    closeSync(full);
  });
});
