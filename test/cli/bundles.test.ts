/** Bundles on the command line: whatever name one is given by, every command takes all of it. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { BundleSync } from "../../src/bundle.js";
import { FileFolderSync, openFileSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, fixturesFolder, runTool, tool } from "../support/peers.js";
import { thorough } from "../support/runs.js";
import { bytesOf, makeDisk, parablock, startParablock } from "./command.js";

process.env.PARABLOCK_NO_NATIVE = "1"; // the command inherits it: a lock is a file then, and none may stay

const file = temporaryFolder();
const MIB = 2 ** 20;
const shape = { size: 5 * MIB + 512, clusterSize: 65536, fills: [[0, MIB, 1] as [number, number, number]] };
const content = bytesOf(shape);
content.fill(9, 4 * MIB, 4 * MIB + 700);
writeFileSync(file("in.raw"), content);

const ok = (...args: string[]) => {
  const outcome = parablock(args);
  expect([args.join(" "), outcome.stderr, outcome.status]).toEqual([args.join(" "), "", 0]);
  return outcome.stdout;
};
const json = (...args: string[]) => JSON.parse(ok(...args, "--json"));
const rawOf = (bundle: string, ...options: string[]) => {
  const out = file(`raw-${Math.random()}.raw`);
  ok("convert", bundle, out, ...options);
  return new Uint8Array(readFileSync(out));
};
/** In this process, which is quicker. */
function opened<T>(bundle: string, work: (bundle: BundleSync) => T): T {
  const found = BundleSync.open(FileFolderSync.open(bundle));
  try {
    return work(found);
  } finally {
    found.close();
  }
}
const heldBy = (bundle: string) =>
  opened(bundle, (found) => {
    const disk = found.openDisk({ readOnly: true });
    const bytes = new Uint8Array(disk.size);
    disk.read(bytes, 0);
    return bytes;
  });
const imagesOf = (bundle: string) =>
  opened(bundle, ({ parts }) => parts.flatMap(({ images }) => images.map(({ file }) => join(bundle, file))));
const same = (one: Uint8Array, other: Uint8Array) => expect(Buffer.compare(one, other)).toBe(0);
const strange = (folder: string) => readdirSync(folder).filter((name) => /lock|part-|\.old/.test(name));

describe("parablock convert X NAME.hdd", () => {
  const shapes: [string[], string, number][] = [
    [[], "expandable", 1],
    [["--plain", "--split", "2M", "--cluster-size", "128K"], "plain", 3],
    [["--split", "2M"], "expandable", 3],
    [["--plain"], "plain", 1],
  ];
  it.each(thorough ? shapes : shapes.slice(0, 1))("writes a bundle that holds the same: %s", (options, type, count) => {
    const bundle = file(`made-${options.join("")}.hdd`);
    ok("convert", file("in.raw"), bundle, ...options);
    expect(readFileSync(join(bundle, `made-${options.join("")}.hdd`)).length).toBe(0);
    const { parts, size, name, snapshots } = json("info", bundle);
    expect([size, name, snapshots.length, parts.length]).toEqual([
      content.length,
      `made-${options.join("")}`,
      1,
      count,
    ]);
    for (const { images } of parts) expect(images.map((image: { type: string }) => image.type)).toEqual([type]);
    same(heldBy(bundle), content);
    ok("check", bundle);
    expect(strange(bundle)).toEqual([]);
    expect(strange(file("."))).toEqual([]);
  });

  it("leaves zeros out, and gives images the version that Parallels Desktop writes", () => {
    const bundle = file("sparse.hdd");
    ok("convert", file("in.raw"), bundle, "--cluster-size", "64K");
    const disk = openFileSync(imagesOf(bundle)[0], { readOnly: true });
    expect([disk.format, disk.allocatedBytes]).toEqual(["v1", MIB + 65536]);
    disk.close();
  });

  it("takes standard input, of a size that is known or not", () => {
    for (const options of [[], ["--size", `${content.length}`]]) {
      const bundle = file(`stream${options.length}.hdd`);
      expect(parablock(["convert", "-", bundle, ...options], content)).toMatchObject({ status: 0, stderr: "" });
      same(heldBy(bundle), content);
    }
    expect(strange(file("."))).toEqual([]);
  });

  it("replaces a bundle or a file only with --force, and no other folder", () => {
    const bundle = file("there.hdd");
    ok("create", bundle, "1M");
    const refused = parablock(["convert", file("in.raw"), bundle]);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("exists already")]);
    expect(heldBy(bundle).length).toBe(MIB);
    ok("convert", file("in.raw"), bundle, "--force");
    same(heldBy(bundle), content);
    writeFileSync(file("plain-file.hdd"), "x");
    ok("create", file("plain-file.hdd"), "1M", "--force");
    mkdirSync(file("mine"));
    writeFileSync(file("mine/precious"), "x");
    for (const args of [[], ["--force"]])
      expect(parablock(["convert", "--to", "bundle", file("in.raw"), file("mine"), ...args]).status).toBe(1);
    expect(readdirSync(file("mine"))).toEqual(["precious"]);
  });

  it("does not replace a bundle of which somebody has an image open, nor what it reads", () => {
    const bundle = file("busy.hdd");
    ok("create", bundle, "1M");
    const disk = openFileSync(imagesOf(bundle)[0]);
    const refused = parablock(["convert", file("in.raw"), bundle, "--force"]);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/in use|open/)]);
    disk.close();
    expect(parablock(["convert", join(bundle, "DiskDescriptor.xml"), bundle, "--force"]).status).toBe(2);
    expect(heldBy(bundle).length).toBe(MIB);
    expect(strange(file("."))).toEqual([]);
  });

  it("leaves nothing when a signal ends it", async () => {
    const child = startParablock(["convert", "-", file("ended.hdd"), "--size", "64M"]);
    const made = () => readdirSync(file(".")).filter((name) => name.includes("ended"));
    child.stdin?.on("error", () => {}).write(new Uint8Array(4096).fill(1));
    await vi.waitFor(() => expect(made()).toHaveLength(1), { timeout: 30_000 });
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([null, "SIGINT"]);
    expect(made()).toEqual([]);
  });

  it("says what is wrong with the place", () => {
    const { status, stderr } = parablock(["create", file("no/where.hdd"), "1M"]);
    expect([status, stderr]).toEqual([1, `parablock: ${file("no")} does not exist: make the folder first\n`]);
  });

  it("leaves nothing when the source fails", () => {
    makeDisk(file("broken.hds"), { size: MIB, clusterSize: 4096, fills: [[0, 12288, 1]] });
    const bytes = readFileSync(file("broken.hds"));
    bytes.writeUInt32LE(0x7fffffff, 64 + 8);
    writeFileSync(file("broken.hds"), bytes);
    expect(parablock(["convert", file("broken.hds"), file("never.hdd")]).status).toBe(1);
    expect(readdirSync(file(".")).filter((name) => name.includes("never"))).toEqual([]);
  });
});

describe("A bundle with snapshots", () => {
  const bundle = file("vm.hdd");
  const states: Uint8Array[] = [content];
  const guids: string[] = [];

  beforeAll(() => {
    ok("convert", file("in.raw"), bundle, "--split", "2M", "--cluster-size", "64K");
    for (let step = 1; step < 3; step++) {
      guids.push(ok("snapshot", "create", bundle).trim());
      const next = states[step - 1].slice();
      next.fill(10 + step, step * MIB, step * 2 * MIB);
      next.fill(0, 0, step * 65536);
      states.push(next);
      opened(bundle, (found) => {
        const disk = found.openDisk();
        disk.write(next.subarray(step * MIB, step * 2 * MIB), step * MIB);
        disk.writeZeroes(0, step * 65536);
      });
    }
  });

  it("is read whole by each of its names, every snapshot by its GUID", () => {
    for (const name of ["", "DiskDescriptor.xml", "vm.hdd"]) same(rawOf(join(bundle, name)), states[2]);
    same(rawOf(bundle, "--snapshot", guids[0]), states[0]);
    same(rawOf(bundle, "--snapshot", guids[1].slice(1, -1).toUpperCase()), states[1]);
    expect(parablock(["compare", bundle, bundle, "--snapshot-a", guids[0], "--snapshot-b", guids[1]]).status).toBe(1);
    ok("compare", bundle, file("in.raw"), "--snapshot-a", guids[0]);
    expect(strange(bundle)).toEqual([]);
  });

  it("lies beneath an image", () => {
    ok("create", file("above.hds"), `${content.length}`);
    same(rawOf(file("above.hds"), "--base", bundle), states[2]);
  });

  it("is told as a tree and as parts", () => {
    const { snapshots, top, parts } = json("info", bundle);
    expect(snapshots).toEqual([
      { guid: guids[0], top: false, temporary: false, depth: 0 },
      { guid: guids[1], parent: guids[0], top: false, temporary: false, depth: 1 },
      { guid: top, parent: guids[1], top: true, temporary: false, depth: 2 },
    ]);
    expect(parts.map(({ images }: { images: unknown[] }) => images.length)).toEqual([3, 3, 3]);
    const text = ok("info", bundle);
    for (const guid of [...guids, top]) expect(text).toContain(guid);
    expect(text).toContain("part 2:");
    const [one] = json("info", bundle, "--snapshot", guids[0]).parts;
    expect(one.images.map(({ guid }: { guid: string }) => guid)).toEqual([guids[0]]);
    expect(ok("snapshot", "list", bundle)).toContain(`on it: ${top}  <- the disk as it is now\n`);
    expect(json("snapshot", "list", bundle).snapshots).toEqual(snapshots);
  });

  it("is mapped with the layer and the file that hold each run", () => {
    const runs: Record<string, never>[] = JSON.parse(ok("map", "--json", bundle));
    const rebuilt = new Uint8Array(content.length);
    for (const { start, length, present, offset, filename } of runs) {
      if (!present) continue;
      const bytes = readFileSync(join(bundle, filename)).subarray(offset, (offset as number) + length);
      rebuilt.set(bytes, start);
    }
    same(rebuilt, states[2]);
    expect(new Set(runs.filter(({ present }) => present).map(({ depth }) => depth))).toEqual(new Set([0, 1, 2]));
    expect(ok("map", bundle)).toMatch(/ base +\d+ vm\.hdd\.\d\.\{.*\}\.hds\n/);
    expect(parablock(["map", bundle, "--svg", "-"]).stdout).toMatch(/^<svg .*a bundle.*<\/svg>\n$/s);
  });

  it("keeps every other state when one is deleted, and goes back", () => {
    const before = ok("snapshot", "create", bundle).trim();
    ok("snapshot", "delete", bundle, guids[0]);
    same(rawOf(bundle), states[2]);
    same(rawOf(bundle, "--snapshot", guids[1]), states[1]);
    ok("snapshot", "switch", bundle, guids[1]);
    same(rawOf(bundle), states[1]);
    same(rawOf(bundle, "--snapshot", before), states[2]);
    ok("check", bundle);
    expect(strange(bundle)).toEqual([]);
  });

  it("says what is missing or too much", () => {
    makeDisk(file("single.hds"), { size: MIB });
    const none = "{00000000-0000-4000-8000-00000000abcd}";
    const mistakes: [string[], number, string][] = [
      [["snapshot", "delete", bundle], 2, "needs a GUID"],
      [["snapshot", "list", bundle, none], 2, "takes no GUID"],
      [["snapshot", "list", file("single.hds")], 1, "not a bundle"],
      [["snapshot", "forget", bundle], 2, "Allowed choices"],
      [["snapshot", "switch", bundle, none], 1, none],
      [["convert", bundle, file("never.raw"), "--snapshot", none], 1, none],
      [["convert", bundle, file("never.raw"), "--snapshot", "x"], 1, "GUID"],
      [["convert", bundle, file("never.raw"), "--base", file("in.raw")], 1, "leave --base out"],
      [["convert", file("single.hds"), file("never.raw"), "--snapshot", none], 1, "has no snapshots"],
      [["create", file("never.hds"), "1M", "--split", "1M"], 2, "ends in .hdd"],
      [["convert", file("in.raw"), file("never.hds"), "--plain"], 2, "for bundles"],
      [["check", bundle, "--undo", file("in.raw")], 1, "for one image"],
    ];
    for (const [args, code, reason] of thorough ? mistakes : mistakes.filter((_, index) => index % 3 === 0)) {
      const { status, stderr } = parablock(args);
      expect([args, status, stderr]).toEqual([args, code, expect.stringContaining(reason)]);
      expect(stderr).toMatch(/^parablock: [^\n]*\n$/);
    }
    expect(strange(bundle)).toEqual([]);
    expect(readdirSync(file(".")).filter((name) => name.includes("never"))).toEqual([]);
  });

  it("warns who names one image that is not the whole disk", () => {
    const [image] = readdirSync(bundle).filter((name) => name.endsWith(".hds"));
    const { status, stderr } = parablock(["convert", join(bundle, image), file("part.raw")]);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/warning: .* is one of the \d+ images of a bundle/)]);
  });
});

describe("parablock check of a bundle", () => {
  it("finds damage in any image, and what a crash left, and repairs both", () => {
    const bundle = file("hurt.hdd");
    ok("convert", file("in.raw"), bundle, "--split", "2M", "--cluster-size", "64K");
    ok("snapshot", "create", bundle);
    const [hurt] = imagesOf(bundle);
    const stray = "hurt.hdd.0.{00000001-1111-4222-8333-000000001eef}.hds";
    writeFileSync(join(bundle, stray), "");
    const found = parablock(["check", bundle]);
    expect([found.status, found.stdout]).toEqual([3, expect.stringContaining(stray)]);
    const bytes = readFileSync(hurt);
    bytes.writeUInt32LE(0x7ffffff0, 64);
    writeFileSync(hurt, bytes);
    const report = parablock(["check", "--json", bundle]);
    expect(report.status).toBe(2);
    expect(JSON.parse(report.stdout)).toMatchObject({ corruptions: 1, leaks: expect.any(Number), strays: [stray] });
    const repaired = parablock(["check", "--repair", "all", bundle]);
    expect([repaired.stderr, repaired.stdout]).toEqual(["", expect.stringContaining(`${stray}, which nothing refers`)]);
    expect(existsSync(join(bundle, stray))).toBe(false);
    expect(parablock(["check", "--repair", "leaks", bundle]).status).toBe(0);
    ok("check", bundle);
  });
});

interface Expected {
  good: Record<string, { size: number; states: Record<string, string>; top: string }>;
  bad: Record<string, string>;
}

describeWith([fixtures, tool("python3")], "Bundles of known content", () => {
  const folder = file("known");
  let expected: Expected;
  beforeAll(() => {
    runTool("python3", join(fixturesFolder, "bundles.py"), folder);
    expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
  });

  it("are converted, every snapshot of them", () => {
    for (const [index, { states, name, top }] of Object.entries(expected.good)
      .map(([name, one]) => ({ ...one, name }))
      .entries()) {
      for (const [guid, md5] of Object.entries(states)) {
        if (!thorough && (guid !== top || index % 8 > 0)) continue; // the library's own tests read all of them
        const content = rawOf(join(folder, `${name}.hdd`), "--snapshot", guid);
        expect([name, guid, createHash("md5").update(content).digest("hex")]).toEqual([name, guid, md5]);
      }
    }
  });

  it("are refused in one line where they cannot be read", () => {
    for (const [index, name] of Object.keys(expected.bad).entries()) {
      if (!thorough && index % 7 > 0) continue;
      const bundle = join(folder, `${name}.hdd`);
      const { status, stderr } = parablock(["convert", bundle, file("never.raw")]);
      expect([name, status, stderr]).toEqual([name, 1, expect.stringMatching(/^parablock: [^\n]*\n$/)]);
      expect(stderr).toContain(bundle);
      expect(strange(bundle)).toEqual([]);
    }
  });
});

describeWith([tool("qemu-img")], "qemu-img", () => {
  it("reads the images of a bundle that was made", () => {
    const bundle = file("q.hdd");
    ok("convert", file("in.raw"), bundle);
    runTool("qemu-img", "convert", "-f", "parallels", "-O", "raw", imagesOf(bundle)[0], file("q.raw"));
    same(new Uint8Array(readFileSync(file("q.raw"))), content);
  });
});
