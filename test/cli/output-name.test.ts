/** Outputs whose names promise another format than is made. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { sampled } from "../support/runs.js";
import { makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
makeDisk(file("a.hds"), { size: 2 ** 20, fills: [[0, 512, 1]] });
const names = () => readdirSync(dirname(file("x"))).sort();

const ENDINGS = [
  "qcow2",
  "qed",
  "vmdk",
  "VMDK",
  "vdi",
  "vhd",
  "vhdx",
  "dmg",
  "gz",
  "bz2",
  "xz",
  "zst",
  "zip",
  "7z",
  "ova",
];

const refuse = (args: string[]) => {
  const before = names();
  const { status, stdout, stderr } = parablock(args);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^parablock: [^\n]* its name says that it is [^\n]*\n$/);
  expect(names()).toEqual(before);
};

describe("a name that promises another format", () => {
  it.each(sampled(ENDINGS, 3))("is refused: .%s", (ending) => {
    const out = file(`out.${ending}`);
    refuse(["convert", file("a.hds"), out]);
    refuse(["convert", "-", out]);
    refuse(["create", out, "1M"]);
    refuse(["map", "--svg", out, file("a.hds")]);
  });

  it("is refused by create for a raw disk, and by map for any disk", () => {
    for (const ending of ["raw", "img"]) refuse(["create", file(`out.${ending}`), "1M"]);
    for (const ending of ["raw", "img", "hds", "hdd"]) refuse(["map", "--svg", file(`out.${ending}`), file("a.hds")]);
  });

  it("is taken with --to", () => {
    for (const [kind, begin] of [
      ["raw", "\x01\x01\x01\x01"],
      ["parallels", "With"],
    ] as const) {
      const out = file(`${kind}.qcow2`);
      expect(parablock(["convert", "--to", kind, file("a.hds"), out]).status).toBe(0);
      expect(readFileSync(out).toString("latin1", 0, 4)).toBe(begin);
    }
  });

  it("is one that ends so: others are taken", () => {
    for (const name of ["qcow2", "disk.qcow2.raw", "disk.iso", "gz.hds", "disk"])
      expect([name, parablock(["convert", file("a.hds"), file(name)]).status]).toEqual([name, 0]);
    expect(parablock(["create", file("vmdk"), "1M"]).status).toBe(0);
    expect(parablock(["map", "--svg", file("picture"), file("a.hds")]).status).toBe(0);
  });
});
