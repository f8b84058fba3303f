/** `parablock resize` on files. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openFileSync } from "../../src/node.js";
import { FileStorageSync } from "../../src/storage/file.js";
import { firstDifference } from "../support/bytes.js";
import { temporaryFolder } from "../support/folder.js";
import { sampled } from "../support/runs.js";
import { contentOf, makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
const K = 1024;
const M = K * K;

describe("parablock resize", () => {
  it("makes a disk larger, and smaller where it may", () => {
    const disk = file("disk.hds");
    makeDisk(disk, { size: 2 * M, clusterSize: 64 * K, fills: [[M + 100 * K, 200 * K, 7]] });
    const grown = parablock(["resize", disk, "+1.5M"]);
    expect(grown).toMatchObject({ status: 0, stdout: `${disk}: 3.5 MiB, was 2 MiB\n`, stderr: "" });
    const refused = parablock(["resize", disk, "-2M"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^parablock: [^\n]*smaller[^\n]*--shrink[^\n]*\n$/);
    expect(contentOf(disk).length).toBe(3.5 * M);
    const shrunk = parablock(["resize", "--shrink", "--json", disk, "-2300K"]);
    expect(JSON.parse(shrunk.stdout)).toEqual({ filename: disk, size: 1284 * K, previousSize: 3.5 * M });
    expect(parablock(["resize", disk, "2097153"])).toMatchObject({ status: 0, stderr: "" }); // whole sectors
    const content = new Uint8Array(2 * M + 512).fill(7, M + 100 * K, 1284 * K);
    expect(firstDifference(contentOf(disk), content)).toBe(-1);
    const before = readFileSync(disk);
    expect(parablock(["resize", disk, "2097153"]).stdout).toMatch(/as before/);
    expect(firstDifference(readFileSync(disk), before)).toBe(-1);
    expect(parablock(["check", disk])).toMatchObject({ status: 0 });
  });

  it("shows zeros and not the base in what it adds", () => {
    const [top, base] = [file("top.hds"), file("base.raw")];
    writeFileSync(base, new Uint8Array(M).fill(9));
    makeDisk(top, { size: 300 * K, clusterSize: 4 * K });
    expect(parablock(["resize", top, "2M", "--base", base])).toMatchObject({ status: 0, stderr: "" });
    const disk = openFileSync(top, { readOnly: true, base: FileStorageSync.open(base, { readOnly: true }) });
    const bytes = new Uint8Array(disk.size);
    disk.read(bytes, 0);
    disk.close();
    expect(firstDifference(bytes, new Uint8Array(2 * M).fill(9, 0, 300 * K))).toBe(-1);
  });

  it("takes a raw file", () => {
    const raw = file("disk.raw");
    writeFileSync(raw, new Uint8Array(M).fill(3));
    expect(parablock(["resize", raw, "-512K", "--shrink"])).toMatchObject({ status: 0 });
    expect(statSync(raw).size).toBe(M / 2);
  });

  it("refuses what makes no sense in one line, and changes nothing then", () => {
    const [disk, old, bundle, raw] = [file("small.hds"), file("v1.hds"), file("some.hdd"), file("other.raw")];
    makeDisk(disk, { size: M });
    makeDisk(old, { size: M, format: "v1" });
    writeFileSync(raw, new Uint8Array(M));
    expect(parablock(["create", bundle, "1M"]).status).toBe(0);
    const image = join(bundle, readdirSync(bundle).find((name) => name.endsWith(".hds")) ?? "");
    const before = readFileSync(disk);
    const cases: [string[], number, RegExp][] = [
      [[disk], 2, /missing required argument 'size'/],
      [[disk, "1.3"], 2, /not a whole number of bytes/],
      [[disk, "--shrnk"], 2, /There is no option of this name/],
      [[disk, "2M", "3M"], 2, /too many arguments/],
      [[disk, "-2M", "--shrink"], 1, /fewer than were to be taken/],
      [[disk, "4096T"], 1, /choose larger clusters/],
      [[old, "3T"], 1, /v1 image reaches/],
      [[disk, "2M", "--from-base", "raw"], 2, /name one with --base/],
      [[disk, "2M", "--base", file("absent")], 1, /absent does not exist/],
      [[raw, "2M", "--base", disk], 1, /leave --base out/],
      [[bundle, "2M"], 1, /is a bundle, which cannot be resized/],
      [[join(bundle, "DiskDescriptor.xml"), "2M"], 1, /is a bundle, which cannot be resized/],
      [[image, "2M"], 1, /is an image of the bundle [^\n]*, which cannot be resized/],
    ];
    for (const [args, status, message] of sampled(cases, 3)) {
      const outcome = parablock(["resize", ...args]);
      expect(outcome).toMatchObject({ status, stdout: "" });
      expect(outcome.stderr).toMatch(/^parablock: [^\n]*\n$/);
      expect(outcome.stderr).toMatch(message);
    }
    expect(firstDifference(readFileSync(disk), before)).toBe(-1);
  });
});
