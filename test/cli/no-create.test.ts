/** `convert --no-create`: into a disk that is there, which keeps what lies behind the input's end. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createFileSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, runTool, tool } from "../support/peers.js";
import { bytesOf, contentOf, type DiskShape, makeDamaged, makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
const CLUSTER = 4096;

/** Data, a hole, data that ends within a cluster, zeros to the end, which is within one, too. */
const input: DiskShape = {
  size: 16 * CLUSTER + 1024,
  clusterSize: CLUSTER,
  fills: [
    [0, CLUSTER, 1],
    [5 * CLUSTER, 2 * CLUSTER + 700, 2],
  ],
};
const content = bytesOf(input);
const OLD = 20 * CLUSTER;
makeDisk(file("in.hds"), input);
writeFileSync(file("in.raw"), content);

/** What an output that was all 7 has to hold. */
const expected = new Uint8Array(OLD).fill(7);
expected.set(content);

function makeOutput(kind: string, size = OLD): string {
  const path = file(`${kind}-${Math.random()}`);
  if (kind === "raw") writeFileSync(path, new Uint8Array(size).fill(7));
  else makeDisk(path, { size, clusterSize: kind === "large" ? 16 * CLUSTER : CLUSTER, fills: [[0, size, 7]] });
  return path;
}

const held = (kind: string, path: string) => (kind === "raw" ? new Uint8Array(readFileSync(path)) : contentOf(path));

describe.each(["image", "large", "raw"])("parablock convert --no-create into a file of the kind %s", (kind) => {
  it.each(["in.hds", "in.raw"])("makes its beginning what %s holds, zeros too, and leaves the rest", (name) => {
    const path = makeOutput(kind);
    const { ino } = statSync(path);
    const { status, stderr } = parablock(["convert", "-n", file(name), path]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(statSync(path).ino).toBe(ino);
    expect(Buffer.compare(held(kind, path), expected)).toBe(0);
    if (kind !== "raw") expect(parablock(["check", path]).status).toBe(0);
  });

  it("takes standard input, too, and no more of it than there is room for", () => {
    const path = makeOutput(kind);
    expect(parablock(["convert", "--no-create", "-", path], content)).toMatchObject({ status: 0, stderr: "" });
    expect(Buffer.compare(held(kind, path), expected)).toBe(0);
    const { status, stderr } = parablock(["convert", "-n", "-", path], new Uint8Array(OLD + 1).fill(3));
    expect(status).toBe(1);
    expect(stderr).toContain(`more than the ${OLD} bytes that the output has room for`);
  });

  it("refuses what is larger, and leaves the output as it was", () => {
    const path = makeOutput(kind, 16 * CLUSTER);
    const before = readFileSync(path);
    const { status, stderr } = parablock(["convert", "-n", file("in.hds"), path]);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `parablock: ${path} has 65536 bytes, too few for the 66560 of the input: it must be as large at least\n`,
    );
    expect(Buffer.compare(held(kind, path), new Uint8Array(16 * CLUSTER).fill(7))).toBe(0);
    if (kind === "raw") expect(Buffer.compare(readFileSync(path), before)).toBe(0);
  });
});

describe("parablock convert --no-create", () => {
  it("gives whole clusters of zeros back", () => {
    const path = makeOutput("image", 64 * CLUSTER);
    parablock(["create", file("empty.hds"), `${64 * CLUSTER}`]);
    expect(parablock(["convert", "-n", file("empty.hds"), path]).status).toBe(0);
    expect(JSON.parse(parablock(["info", "--json", path]).stdout).allocatedBytes).toBe(0);
  });

  it("makes no file, takes no damaged image, and nothing of other software", () => {
    const absent = file("absent.hds");
    expect(parablock(["convert", "-n", file("in.raw"), absent]).stderr).toContain("absent.hds");
    expect(() => statSync(absent)).toThrow();
    const damaged = makeDamaged(file("damaged.hds"), { [64 + 4 * 2]: 0x7fffffff });
    const before = readFileSync(damaged);
    expect(parablock(["convert", "-n", file("in.raw"), damaged]).status).toBe(1);
    expect(Buffer.compare(readFileSync(damaged), before)).toBe(0);
    writeFileSync(file("other"), Buffer.concat([Buffer.from("QFI\xfb\0\0\0\x03", "latin1"), Buffer.alloc(OLD)]));
    expect(parablock(["convert", "-n", file("in.raw"), file("other")]).stderr).toContain("is a qcow2 image");
    expect(parablock(["convert", "-n", "--to", "raw", file("in.raw"), file("other")]).status).toBe(0);
  });

  it("respects who has the output open", () => {
    const path = makeOutput("image");
    const disk = createFileSync(file("held.hds"), { size: OLD });
    expect(parablock(["convert", "-n", file("in.raw"), file("held.hds")]).stderr).toMatch(/open|use/);
    disk.close();
    expect(parablock(["convert", "-n", path, path]).status).toBe(2);
  });

  it.each([
    [["--force"], "leave one of them out"],
    [["--cluster-size", "64K"], "stays what it is"],
    [["--format", "v1"], "stays what it is"],
  ])("does not go with %s", (options, reason) => {
    const { status, stderr } = parablock(["convert", "-n", ...options, file("in.raw"), makeOutput("raw")]);
    expect(status).toBe(2);
    expect(stderr).toContain(reason);
  });

  it("is not for standard output", () => {
    expect(parablock(["convert", "-n", file("in.raw"), "-"]).status).toBe(2);
  });
});

describeWith([tool("qemu-img")], "qemu-img convert -n", () => {
  it("makes the same of an output that is larger", () => {
    const path = makeOutput("raw");
    runTool("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", file("in.raw"), path);
    expect(Buffer.compare(held("raw", path), expected)).toBe(0);
  });
});
