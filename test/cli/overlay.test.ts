/** `commit` and `rebase` on files, with QEMU as second judge of what an image reads as over its base. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createFileSync, openFileSync } from "../../src/node.js";
import { FileStorageSync } from "../../src/storage/file.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, runTool, tool } from "../support/peers.js";
import { contentOf, makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
const K = 1024;
const SIZE = 300 * K + 512;

interface Base {
  name: string;
  kind: "raw" | "parallels";
}

/** Two bases that differ here and there, and an overlay of its own cluster size over the first. */
function prepare(
  kind: "raw" | "parallels",
  size = SIZE,
): { below: Base; other: Base; top: string; content: Uint8Array } {
  const names = { below: file(`below-${Math.random()}`), other: file(`other-${Math.random()}`) };
  const fills: [number, number, number][] = [
    [0, 40 * K, 1],
    [100 * K, 3 * K, 2],
  ];
  if (size < SIZE) fills.pop();
  const bytes = new Uint8Array(size);
  for (const [offset, length, value] of fills) bytes.fill(value, offset, offset + length);
  if (kind === "raw") writeFileSync(names.below, bytes);
  else makeDisk(names.below, { size, clusterSize: 32 * K, fills });
  bytes.fill(9, 90 * K, 120 * K);
  writeFileSync(names.other, bytes);
  const top = file(`top-${Math.random()}.hds`);
  const base = kind === "raw" ? FileStorageSync.open(names.below) : openFileSync(names.below);
  const disk = createFileSync(top, { size: SIZE, clusterSize: 4 * K, base });
  disk.write(new Uint8Array(5000).fill(7), 39 * K);
  disk.write(new Uint8Array(700).fill(8), SIZE - 700);
  disk.writeZeroes(2 * K, 9 * K);
  const content = new Uint8Array(SIZE);
  disk.read(content, 0);
  disk.close();
  base.close();
  return { below: { name: names.below, kind }, other: { name: names.other, kind: "raw" }, top, content };
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const held = ({ name, kind }: Base) => (kind === "raw" ? new Uint8Array(readFileSync(name)) : contentOf(name));

describe.each(["raw", "parallels"] as const)("parablock commit to a base of the kind %s", (kind) => {
  it("writes what the overlay holds, and empties it", () => {
    const { below, top, content } = prepare(kind);
    const { status, stdout, stderr } = parablock(["commit", top, "--base", below.name]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/clusters\) written to .*; .* is empty now\n$/);
    expect(same(held(below), content)).toBe(true);
    const { allocatedBytes } = JSON.parse(parablock(["info", "--json", top]).stdout);
    expect(allocatedBytes).toBe(0);
    for (const path of kind === "raw" ? [top] : [top, below.name])
      expect(parablock(["check", path])).toMatchObject({ status: 0 });
  });

  it("leaves it as it is with --keep, and says so as JSON", () => {
    const { below, top, content } = prepare(kind);
    const before = readFileSync(top);
    const { stdout } = parablock(["commit", top, "--base", below.name, "--keep", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ filename: top, base: below.name, committedBytes: 28 * K, kept: true });
    expect(same(held(below), content)).toBe(true);
    expect(same(readFileSync(top), before)).toBe(true);
  });
});

describe("parablock commit", () => {
  it.each(["raw", "parallels"] as const)("lets a smaller base grow (%s)", (kind) => {
    const { top, below, content } = prepare(kind, 64 * K);
    expect(parablock(["commit", top, "--base", below.name])).toMatchObject({ status: 0, stderr: "" });
    expect(same(held(below), content)).toBe(true);
    expect(parablock(["check", top])).toMatchObject({ status: 0 });
  });

  it("goes through a base that is an overlay itself", () => {
    const { below, top: middle, content } = prepare("raw");
    const top = file("highest.hds");
    makeDisk(top, { size: SIZE, clusterSize: 4 * K, fills: [[200 * K, 100, 5]] });
    content.fill(0, 200 * K, 204 * K).fill(5, 200 * K, 200 * K + 100);
    const args = ["commit", top, "--base", middle, "--base-base", below.name];
    expect(parablock(args)).toMatchObject({ status: 0, stderr: "" });
    expect(parablock(["commit", middle, "--base", below.name])).toMatchObject({ status: 0, stderr: "" });
    expect(same(held(below), content)).toBe(true);
  });

  it("refuses what makes no sense in one line", () => {
    const { below, top } = prepare("raw");
    const bundle = file("disk.hdd");
    expect(parablock(["create", bundle, "1M"]).status).toBe(0);
    const cases: [string[], number, RegExp][] = [
      [["commit", top], 2, /required option '--base <file>'/],
      [["commit", top, "--base", top], 2, /cannot stand on itself: --base names the same file/],
      [["commit", top, "--base", below.name, "--from-base-base", "raw"], 2, /name one with --base-base/],
      [["commit", top, "--base", below.name, "--base-base", file("absent")], 1, /absent does not exist/],
      [["commit", below.name, "--base", top], 1, /Parallels|begin/],
      [["commit", bundle, "--base", below.name], 1, /is a bundle, whose disk has snapshots/],
      [["rebase", bundle, "--from", below.name], 1, /is a bundle, whose disk has snapshots/],
      [["rebase", top], 2, /name what TOP stands on with --from/],
      [["rebase", top, "--from", below.name, "--to-kind", "raw"], 2, /name one with --to/],
      [["rebase", top, "--from", below.name, "--to", top], 2, /--to names the same file/],
      [["rebase", top, "--from", file("absent")], 1, /absent does not exist/],
    ];
    for (const [args, status, message] of cases) {
      const outcome = parablock(args);
      expect([args.join(" "), outcome.status]).toEqual([args.join(" "), status]);
      expect(outcome.stderr).toMatch(message);
      expect(outcome.stderr.trimEnd()).not.toContain("\n");
    }
  });
});

/** An image over a base, as QEMU names it. */
function layers(top: string, { name, kind }: Base): string {
  const backing = { driver: kind, file: { driver: "file", filename: name } };
  return `json:${JSON.stringify({ driver: "parallels", file: { driver: "file", filename: top }, backing })}`;
}

describeWith([tool("qemu-img")], "QEMU", () => {
  const qemuSame = (disk: string, content: Uint8Array) => {
    const raw = file("content.raw");
    writeFileSync(raw, content);
    runTool(
      "qemu-img",
      "compare",
      disk,
      `json:${JSON.stringify({ driver: "raw", file: { driver: "file", filename: raw } })}`,
    );
  };

  it.each(["raw", "parallels"] as const)("reads the same after a commit to a base of the kind %s", (kind) => {
    const { below, top, content } = prepare(kind);
    qemuSame(layers(top, below), content);
    expect(parablock(["commit", top, "--base", below.name]).status).toBe(0);
    qemuSame(layers(top, below), content);
  });

  it.each(["raw", "parallels"] as const)(
    "reads the same after a rebase from the kind %s, over the new base and over none",
    (kind) => {
      const { below, other, top, content } = prepare(kind);
      const alone = `${top}.alone.hds`;
      copyFileSync(top, alone);
      expect(parablock(["rebase", top, "--from", below.name, "--to", other.name])).toMatchObject({
        status: 0,
        stderr: "",
      });
      qemuSame(layers(top, other), content);
      const { stdout } = parablock(["rebase", alone, "--from", below.name, "--json"]);
      expect(JSON.parse(stdout)).toMatchObject({ filename: alone, base: null, unsafe: false });
      runTool("qemu-img", "check", "-f", "parallels", alone);
      expect(same(contentOf(alone), content)).toBe(true);
    },
  );
});

describe("parablock rebase --unsafe", () => {
  it("changes nothing, and says so", () => {
    const { other, top } = prepare("raw");
    const before = readFileSync(top);
    const { status, stdout } = parablock(["rebase", top, "--to", other.name, "--unsafe"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Nothing was changed: .* stands on .* now, whatever it reads as there\.\n$/);
    expect(same(readFileSync(top), before)).toBe(true);
  });
});
