import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, readFixture, runTool, tool } from "../support/peers.js";
import { type Fill, makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
const K = 1024;
/** Out of order, with holes, at odd offsets. */
const FILLS: Fill[] = [
  [0, 4 * K, 1],
  [8 * K, 4 * K, 2],
  [4 * K, 4 * K, 3],
  [40 * K + 1, 8 * K, 4],
  [200 * K, 56 * K, 5],
];

describe("parablock map", () => {
  it("prints one line an extent: guest offset, length, kind, file offset", () => {
    makeDisk(file("a.hds"), { size: 256 * K, clusterSize: 4 * K, fills: FILLS });
    const { status, stdout, stderr } = parablock(["map", file("a.hds")]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")).toEqual([
      "     0   4096 data   4096",
      "  4096   4096 data  12288",
      "  8192   4096 data   8192",
      " 12288  28672 zero",
      " 40960  12288 data  16384",
      " 53248 151552 zero",
      "204800  57344 data  28672",
      "",
    ]);
  });

  it("shows what lies in the base, and the image's own zeros past its end", () => {
    makeDisk(file("above.hds"), { size: 64 * K, clusterSize: 4 * K, fills: [[8 * K, 4 * K, 1]] });
    makeDisk(file("below.hds"), { size: 32 * K, clusterSize: 8 * K, fills: [[16 * K, 8 * K, 2]] });
    const { stdout } = parablock(["map", "--base", file("below.hds"), file("above.hds")]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.trim().split(/ +/)),
    ).toEqual([
      ["0", "8192", "zero"],
      ["8192", "4096", "data", "4096"],
      ["12288", "4096", "zero"],
      ["16384", "8192", "base", "8192"],
      ["24576", "8192", "zero"],
      ["32768", "32768", "zero"],
    ]);
  });

  it("prints an empty list for a disk of no bytes", () => {
    makeDisk(file("none.hds"), { size: 0 });
    expect(parablock(["map", file("none.hds")]).stdout).toBe("");
    expect(JSON.parse(parablock(["map", "--json", file("none.hds")]).stdout)).toEqual([]);
    expect(parablock(["map", "--svg", "-", file("none.hds")]).stdout).toMatch(/^<svg /);
  });

  it("refuses a raw file", () => {
    writeFileSync(file("raw"), new Uint8Array(4096));
    expect(parablock(["map", file("raw")])).toMatchObject({ status: 1, stdout: "" });
  });
});

describe("parablock map --svg", () => {
  it("draws a picture instead of the list", () => {
    const { status, stdout } = parablock(["map", "--svg", file("a.svg"), file("a.hds")]);
    expect([status, stdout]).toEqual([0, ""]);
    const svg = readFileSync(file("a.svg"), "utf8");
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).toContain("a.hds: what lies where");
    expect(svg).toContain("one square: 4 KiB");
  });

  it("does not overwrite a file without --force, and never the disk", () => {
    expect(parablock(["map", "--svg", file("a.svg"), file("a.hds")]).status).toBe(1);
    expect(parablock(["map", "--force", "--svg", file("a.svg"), file("a.hds")]).status).toBe(0);
    const { status, stderr } = parablock(["map", "--force", "--svg", file("a.hds"), file("a.hds")]);
    expect(status).toBe(2);
    expect(stderr).toContain("would overwrite");
  });

  it("escapes the name, so that it is well-formed whatever the file is called", () => {
    mkdirSync(file("odd"));
    makeDisk(file('odd/<a>&"b".hds'), { size: 64 * K });
    expect(parablock(["map", "--svg", "-", file('odd/<a>&"b".hds')]).stdout).toContain(
      "&#60;a&#62;&#38;&#34;b&#34;.hds",
    );
  });

  it("joins clusters into squares, so that a picture of four million stays small", () => {
    parablock(["create", file("large.hds"), "16G", "--cluster-size", "4K"]);
    const { stdout } = parablock(["map", "--svg", "-", file("large.hds")]);
    expect(stdout).toContain("one square: 8 MiB, 2048 clusters");
    expect(stdout.length).toBeLessThan(500_000);
  });
});

describeWith([tool("qemu-img")], "parablock map --json and qemu-img map --output=json", () => {
  const qemuMap = (path: string) => runTool("qemu-img", "map", "--output=json", path);

  it.each([
    { format: "v2", clusterSize: 4 * K },
    { format: "v1", clusterSize: 4 * K },
    { format: "v2", clusterSize: 512 },
    { format: "v2", clusterSize: 32256 },
    { format: "v1", clusterSize: 32256 },
    { format: "v2", clusterSize: 2 ** 20 },
  ] as const)("print the same text for $format with clusters of $clusterSize", ({ format, clusterSize }) => {
    const path = file(`q-${format}-${clusterSize}.hds`);
    makeDisk(path, { size: 300 * K + 512, format, clusterSize, fills: FILLS });
    expect(parablock(["map", "--json", path]).stdout).toBe(qemuMap(path));
  });

  it("print the same for an image above another", () => {
    const layers = {
      driver: "parallels",
      file: { driver: "file", filename: file("above.hds") },
      backing: { driver: "parallels", file: { driver: "file", filename: file("below.hds") } },
    };
    expect(parablock(["map", "--json", "--base", file("below.hds"), file("above.hds")]).stdout).toBe(
      qemuMap(`json:${JSON.stringify(layers)}`),
    );
  });

  it("print the same for an image above a raw file without holes", () => {
    writeFileSync(file("below.raw"), new Uint8Array(20 * K).fill(9));
    const layers = {
      driver: "parallels",
      file: { driver: "file", filename: file("above.hds") },
      backing: { driver: "raw", file: { driver: "file", filename: file("below.raw") } },
    };
    expect(parablock(["map", "--json", "--base", file("below.raw"), file("above.hds")]).stdout).toBe(
      qemuMap(`json:${JSON.stringify(layers)}`),
    );
  });
});

describeWith([tool("qemu-img"), fixtures], "parablock map --json on disks of other software", () => {
  it.each([
    "parallels-v1.hds.gz",
    "parallels-v2.hds.gz",
    "expanding.hdd/expanding.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds.gz",
  ])("agrees with qemu-img on %s", (name) => {
    const path = file("fixture.hds");
    writeFileSync(path, readFixture(name));
    expect(parablock(["map", "--json", path]).stdout).toBe(runTool("qemu-img", "map", "--output=json", path));
    expect(existsSync(path)).toBe(true);
  });
});
