import { createHash } from "node:crypto";
import { linkSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { openFileSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, readFixture, runTool, tool } from "../support/peers.js";
import { bytesOf, contentOf, type DiskShape, makeDisk, parablock, patch } from "./command.js";

const file = temporaryFolder();
const MEBIBYTE = 2 ** 20;
const SHAPE: DiskShape = {
  size: 12 * MEBIBYTE + 512,
  clusterSize: 65536,
  fills: [
    [9 * MEBIBYTE, 100, 3],
    [0, 3 * MEBIBYTE + 700, 1],
    [6 * MEBIBYTE - 1, 2, 2],
    [12 * MEBIBYTE, 512, 4],
    // A cluster that is allocated and full of zeros.
    [10 * MEBIBYTE, 65536, 0],
  ],
};
const GUEST = bytesOf(SHAPE);
makeDisk(file("disk.hds"), SHAPE);
writeFileSync(file("disk.raw"), GUEST);

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
const same = (bytes: Uint8Array, expected = GUEST) => Buffer.compare(bytes, expected) === 0;
const names = () => readdirSync(dirname(file("x")));

describe("parablock convert", () => {
  it("makes a raw file, sparse where the disk is zero, and says nothing", () => {
    expect(parablock(["convert", file("disk.hds"), file("out.raw")])).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(same(readFileSync(file("out.raw")))).toBe(true);
    expect(statSync(file("out.raw")).blocks * 512).toBeLessThan(4 * MEBIBYTE);
  });

  it("makes an image in which runs of zeros are not allocated, contiguous and closed cleanly", () => {
    expect(parablock(["convert", file("disk.raw"), file("out.hds"), "--cluster-size", "64K"]).status).toBe(0);
    expect(same(contentOf(file("out.hds")))).toBe(true);
    const disk = openFileSync(file("out.hds"), { readOnly: true });
    expect(disk.allocatedBytes / 65536).toBe(49 + 2 + 1 + 1);
    expect(disk.info).toMatchObject({ fragmentedClusters: 0, inUse: 0, findings: [], fileSize: disk.info.endOffset });
    disk.close();
  });

  it("makes a compact copy in another shape", () => {
    const args = ["--format", "v1", "--cluster-size", "31.5K"];
    expect(parablock(["convert", file("disk.hds"), file("copy.hds"), ...args]).status).toBe(0);
    const disk = openFileSync(file("copy.hds"), { readOnly: true });
    expect([disk.format, disk.clusterSize, disk.size]).toEqual(["v1", 32256, SHAPE.size]);
    disk.close();
    expect(same(contentOf(file("copy.hds")))).toBe(true);
  });

  it.each(["512", "4M", "1.5M"])("keeps every byte with clusters of %s", (clusterSize) => {
    parablock(["convert", "--force", file("disk.raw"), file("clusters.hds"), "--cluster-size", clusterSize]);
    expect(same(contentOf(file("clusters.hds")))).toBe(true);
  });

  it("takes OUT's name for its kind, else makes what IN is not; --to and --from decide where they are given", () => {
    const kindOf = (name: string) => (readFileSync(file(name)).toString("latin1", 0, 4) === "With" ? "image" : "raw");
    parablock(["convert", file("disk.raw"), file("named.img")]);
    parablock(["convert", file("disk.hds"), file("nameless-1")]);
    parablock(["convert", file("disk.raw"), file("nameless-2")]);
    parablock(["convert", file("disk.hds"), file("odd.raw"), "--to", "parallels"]);
    parablock(["convert", file("disk.hds"), file("bytes.raw"), "--from", "raw"]);
    expect(["named.img", "nameless-1", "nameless-2", "odd.raw"].map(kindOf)).toEqual(["raw", "raw", "image", "image"]);
    expect(same(readFileSync(file("bytes.raw")), readFileSync(file("disk.hds")))).toBe(true);
  });

  it("merges an image with what lies beneath it", () => {
    makeDisk(file("above.hds"), { size: 4 * MEBIBYTE, clusterSize: 65536, fills: [[MEBIBYTE, 100, 8]] });
    writeFileSync(
      file("below.raw"),
      bytesOf({
        size: 2 * MEBIBYTE + 300,
        fills: [
          [MEBIBYTE - 50, 500, 9],
          [2 * MEBIBYTE, 300, 7],
        ],
      }),
    );
    const merged = bytesOf({
      size: 4 * MEBIBYTE,
      fills: [
        [MEBIBYTE - 50, 50, 9],
        [2 * MEBIBYTE, 300, 7],
        [MEBIBYTE, 100, 8],
      ],
    });
    expect(parablock(["convert", "--base", file("below.raw"), file("above.hds"), file("merged.hds")]).status).toBe(0);
    expect(same(contentOf(file("merged.hds")), merged)).toBe(true);
  });

  it("rounds a raw file that ends within a sector up", () => {
    writeFileSync(file("short.raw"), new Uint8Array(1000).fill(5));
    expect(parablock(["convert", file("short.raw"), file("short.hds")]).status).toBe(0);
    expect(same(contentOf(file("short.hds")), bytesOf({ size: 1024, fills: [[0, 1000, 5]] }))).toBe(true);
  });
});

describe("parablock convert and streams", () => {
  it("writes raw bytes to standard output, zeros and all", () => {
    const { status, bytes, stderr } = parablock(["convert", file("disk.hds"), "-"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(same(bytes)).toBe(true);
  });

  it("reads raw bytes from standard input, of whatever number", () => {
    expect(parablock(["convert", "-", file("in.hds")], GUEST)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(same(contentOf(file("in.hds")))).toBe(true);
    expect(parablock(["convert", "-", file("in.raw")], GUEST).status).toBe(0);
    expect(same(readFileSync(file("in.raw")))).toBe(true);
    expect(names().filter((name) => name.includes("spool"))).toEqual([]);
  });

  it("makes an image without a copy where --size says how much there is, and insists on it", () => {
    const size = `${GUEST.length}`;
    expect(parablock(["convert", "--size", size, "-", file("sized.hds")], GUEST).status).toBe(0);
    expect(same(contentOf(file("sized.hds")))).toBe(true);
    const short = parablock(["convert", "--size", size, "-", file("cut.hds")], GUEST.subarray(512));
    const long = parablock(["convert", "--size", "1M", "-", file("cut.hds")], GUEST);
    expect([short.status, long.status]).toEqual([1, 1]);
    expect(short.stderr).toContain("was it cut off?");
    expect(names().filter((name) => name.startsWith("cut"))).toEqual([]);
  });

  it("passes nothing at all through", () => {
    expect(parablock(["convert", "-", file("nothing.raw")], "").status).toBe(0);
    expect(readFileSync(file("nothing.raw")).length).toBe(0);
    expect(parablock(["convert", "-", file("nothing.hds")], "").status).toBe(0);
    expect(contentOf(file("nothing.hds")).length).toBe(0);
  });

  it("refuses an image on standard input, unless its bytes are wanted as they are", () => {
    const image = readFileSync(file("disk.hds"));
    const { status, stderr } = parablock(["convert", "-", file("piped.raw")], image);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^parablock: standard input holds a Parallels image[^\n]*--from raw[^\n]*\n$/);
    expect(parablock(["convert", "--from", "raw", "-", file("piped.raw")], image).status).toBe(0);
    expect(same(readFileSync(file("piped.raw")), image)).toBe(true);
  });
});

describe("parablock convert and its output", () => {
  it("does not overwrite without --force", () => {
    writeFileSync(file("there.raw"), "there");
    expect(parablock(["convert", file("disk.hds"), file("there.raw")]).stderr).toContain("--force");
    expect(parablock(["convert", "-", file("there.raw"), "--to", "parallels"], GUEST).stderr).toContain("--force");
    expect(readFileSync(file("there.raw"), "utf8")).toBe("there");
    expect(parablock(["convert", "--force", file("disk.hds"), file("there.raw")]).status).toBe(0);
    expect(same(readFileSync(file("there.raw")))).toBe(true);
  });

  it("never overwrites what it reads, by whatever name", () => {
    linkSync(file("disk.hds"), file("alias.hds"));
    for (const args of [
      [file("disk.hds"), file("disk.hds")],
      [file("disk.hds"), file("alias.hds")],
      ["--base", file("below.raw"), file("above.hds"), file("below.raw")],
    ]) {
      const { status, stderr } = parablock(["convert", "--force", ...args]);
      expect(status).toBe(2);
      expect(stderr).toContain("would overwrite");
    }
    expect(same(contentOf(file("disk.hds")))).toBe(true);
  });

  it("leaves nothing of an output that could not be completed, and keeps what it was to replace", () => {
    makeDisk(file("broken.hds"), SHAPE);
    patch(file("broken.hds"), { [64 + 4 * 30]: 0x7fffffff });
    writeFileSync(file("before.raw"), "before");
    for (const out of ["unfinished.raw", "unfinished.hds", "before.raw"]) {
      const { status, stderr } = parablock(["convert", "--force", file("broken.hds"), file(out)]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^parablock: .*broken.hds: cluster 30 cannot be read[^\n]*\n$/);
    }
    expect(names().filter((name) => /unfinished|part-/.test(name))).toEqual([]);
    expect(readFileSync(file("before.raw"), "utf8")).toBe("before");
  });

  it.each([
    [["a.hds", "b.raw", "--cluster-size", "64K"], /raw, which has no clusters/],
    [["a.hds", "-", "--to", "parallels"], /name a file for an image/],
    [["-", "b.hds", "--from", "parallels"], /save the image to a file first/],
    [["-", "b.hds", "--base", "c.raw"], /leave --base out/],
    [["a.raw", "b.hds", "--size", "1M"], /leave it out for files/],
    [["a.hds", "b.raw", "--to", "qcow2"], /Allowed choices are parallels, bundle, raw/],
  ])("refuses %j as a usage error", (args, message) => {
    const paths = args.map((arg) => (/^[abc]\./.test(arg) ? file(arg) : arg));
    writeFileSync(file("a.hds"), readFileSync(file("disk.hds")));
    writeFileSync(file("a.raw"), "");
    const { status, stderr } = parablock(["convert", ...paths]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(status).toBe(2);
  });
});

describeWith([tool("qemu-img")], "qemu-img and converted disks", () => {
  it("find the same content, and nothing wrong", () => {
    for (const args of [[], ["--cluster-size", "512"], ["--format", "v1", "--cluster-size", "31.5K"]]) {
      parablock(["convert", "--force", file("disk.raw"), file("q.hds"), ...args]);
      runTool("qemu-img", "compare", file("q.hds"), file("disk.raw"));
      runTool("qemu-img", "check", file("q.hds"));
    }
  });
});

describeWith([fixtures], "parablock convert on disks of other software", () => {
  it.each([
    ["parallels-v1.hds.gz", "9a4fe3bc73937297651d080f4cd26fc5"],
    ["parallels-v2.hds.gz", "9a4fe3bc73937297651d080f4cd26fc5"],
    ["expanding.hdd/expanding.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds.gz", "13b7616dd9aede47013ac706573b7fef"],
  ])("takes the guest's bytes of %s out, and puts them in again", (name, expected) => {
    writeFileSync(file("fixture.hds"), readFixture(name));
    expect(parablock(["convert", "--force", file("fixture.hds"), file("fixture.raw")]).status).toBe(0);
    expect(md5(readFileSync(file("fixture.raw")))).toBe(expected);
    expect(parablock(["convert", "--force", file("fixture.raw"), file("fixture-2.hds")]).status).toBe(0);
    expect(parablock(["compare", file("fixture.hds"), file("fixture-2.hds")]).status).toBe(0);
  });
});
