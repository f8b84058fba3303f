/** What a command loads: a short one is mostly its own start, so nothing that only others need. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { cliPath, makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
makeDisk(file("a.hds"), { size: 2 ** 20, fills: [[0, 512, 1]] });
const HOOK = `process.on("exit", () => require("node:fs").writeSync(2, JSON.stringify(Object.keys(require.cache))));`;

/** Which packages lie in the files that a command has loaded when it ends. */
function packagesLoaded(...args: string[]): string[] {
  writeFileSync(file("hook.cjs"), HOOK);
  const { status, stderr } = spawnSync(process.execPath, ["--require", file("hook.cjs"), cliPath, ...args], {
    encoding: "utf8",
  });
  expect(status).toBe(0);
  const ours = (JSON.parse(stderr) as string[]).filter((path) => path.endsWith(".cjs") && path.includes("dist"));
  const texts = ours.map((path) => readFileSync(path, "utf8")).join("\n");
  return ["commander", "parse-xml", "cli-progress", "cli-table3"].filter((name) => texts.includes(`/${name}/`));
}

it.each([["info"], ["map", "--json"], ["check"]])("%s of an image needs no package but commander", (...command) => {
  expect(packagesLoaded(...command, file("a.hds"))).toEqual(["commander"]);
});

it("of a bundle needs its descriptor read", () => {
  expect(parablock(["create", file("a.hdd"), "1M"]).status).toBe(0);
  expect(packagesLoaded("info", file("a.hdd"))).toEqual(["commander", "parse-xml"]);
});
