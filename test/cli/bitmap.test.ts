/** `parablock bitmap`, and what `info`, `map` and `check` say of dirty bitmaps. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openFileSync } from "../../src/node.js";
import { firstDifference } from "../support/bytes.js";
import { FIRST_SECTION, ID, SECTION_HEADER, sealed, withExtension } from "../support/extension.js";
import { temporaryFolder } from "../support/folder.js";
import { FIELD, fieldOf } from "../support/image.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { sampled } from "../support/runs.js";
import { makeDisk, parablock, patch } from "./command.js";

const file = temporaryFolder();
const K = 1024;
const M = K * K;
const OTHER = "00000000-0000-4000-8000-000000000000";
const IN_USE = 44;

/** A disk of 2 MiB, half of it written. */
function disk(name: string): string {
  makeDisk(file(name), { size: 2 * M, clusterSize: 64 * K, fills: [[0, M, 1]] });
  return file(name);
}

function write(path: string, offset: number, length: number): void {
  const disk = openFileSync(path);
  disk.write(new Uint8Array(length).fill(7), offset);
  disk.close();
}

const ok = (...args: string[]): string => {
  const { status, stdout, stderr } = parablock(args);
  expect([stderr, status]).toEqual(["", 0]);
  return stdout;
};
const json = (...args: string[]) => JSON.parse(ok(...args, "--json"));
const bitmapsIn = (path: string) => readExtension(readFileSync(path))?.bitmaps ?? [];

describe("parablock bitmap", () => {
  it("adds, lists, clears and removes bitmaps, which know what is written", () => {
    const path = disk("life.hds");
    expect(ok("bitmap", "list", path)).toBe(`${path} has no dirty bitmaps\n`);
    const id = ok("bitmap", "add", path).trimEnd();
    const added = json("bitmap", "add", path, `{${OTHER.toUpperCase()}}`, "--granularity", "4K");
    expect(added).toEqual({
      ...{ filename: path, id: OTHER },
      bitmaps: [
        { id, granularity: 64 * K, stale: false },
        { id: OTHER, granularity: 4 * K, stale: false },
      ],
    });
    write(path, 300 * K, 100 * K);
    expect(ok("bitmap", "list", path)).toBe(
      `${id}  64 KiB a bit  192 KiB dirty (9.38 %)\n${OTHER}  4 KiB a bit  100 KiB dirty (4.88 %)\n`,
    );
    expect(ok("bitmap", "clear", path, id)).toBe("");
    expect(json("bitmap", "list", path)).toEqual({
      ...{ filename: path, size: 2 * M },
      bitmaps: [
        { id, granularity: 64 * K, stale: false, dirtyBytes: 0 },
        { id: OTHER, granularity: 4 * K, stale: false, dirtyBytes: 100 * K },
      ],
    });
    expect(bitmapsIn(path).map(({ id }) => id)).toEqual([id, OTHER]);
    expect(ok("bitmap", "remove", path, id)).toBe("");
    expect(bitmapsIn(path).map(({ id }) => id)).toEqual([OTHER]);
    expect(json("bitmap", "remove", path, OTHER)).toEqual({ filename: path, bitmaps: [] });
    expect(readExtension(readFileSync(path))).toBeUndefined();
  });

  it("calls what may have missed changes stale, says what that means, and makes it current", () => {
    const path = disk("stale.hds");
    const id = ok("bitmap", "add", path).trimEnd();
    write(path, 0, 512);
    patch(path, { [IN_USE]: 0 });
    const list = ok("bitmap", "list", path);
    expect(list).toMatch(/^[^\n]*at least 64 KiB dirty \(3\.13 %\), stale\nnote: [^\n]*all its bits are set[^\n]*\n$/);
    const info = ok("info", path);
    expect(info).toContain(`dirty bitmap:  ${id}, 64 KiB a bit, stale\n`);
    expect(info).toMatch(/^note: [^\n]*all its bits are set[^\n]*`bitmap clear`[^\n]*--trust-stale/m);
    expect(json("info", path).bitmaps).toEqual([{ id, granularity: 64 * K, stale: true }]);
    const refused = parablock(["map", "--bitmap", id, path]);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^parablock: [^\n]*may have missed changes[^\n]*--trust-stale[^\n]*\n$/);
    expect(ok("map", "--bitmap", id, "--trust-stale", path)).toBe("      0   65536 dirty\n  65536 2031616 clean\n");
    ok("bitmap", "clear", path, id);
    expect(json("bitmap", "list", path).bitmaps).toEqual([{ id, granularity: 64 * K, stale: false, dirtyBytes: 0 }]);
    expect(ok("info", path)).not.toContain("note:");
  });

  it("maps the whole disk, in more ranges than are asked for at once", () => {
    const path = file("many.hds");
    const granules = 3 * 4096 + 5;
    makeDisk(path, { size: granules * 4 * 512 - 512, clusterSize: 4096 });
    const dirty = Array.from({ length: Math.ceil(granules / 2) }, (_, index) => 2 * index);
    writeFileSync(path, withExtension(readFileSync(path), [{ granularity: 4, dirty }]));
    const rows = json("map", "--bitmap", ID, path);
    const last = (granules - 1) * 2048;
    const expected = Array.from({ length: granules }, (_, index) => ({
      ...{ start: index * 2048, length: index * 2048 === last ? 1536 : 2048, dirty: index % 2 === 0 },
    }));
    expect(rows).toEqual(expected);
    expect(json("bitmap", "list", path).bitmaps[0].dirtyBytes).toBe(dirty.length * 2048 - 512);
    expect(ok("map", "--bitmap", ID, path).match(/ dirty$/gm)).toHaveLength(dirty.length);
    expect(dirtyGranules(bitmapsIn(path)[0])).toEqual(dirty);
  });

  it("takes a bundle of one image, and refuses others", () => {
    const [one, split] = [file("one.hdd"), file("split.hdd")];
    ok("create", one, "4M");
    ok("create", split, "4M", "--split", "2M");
    const id = ok("bitmap", "add", one).trimEnd();
    const image = join(one, readdirSync(one).find((name) => name.endsWith(".hds")) ?? "");
    expect(json("bitmap", "list", one)).toMatchObject({ filename: image, bitmaps: [{ id }] });
    expect(json("map", one, "--bitmap", id)).toEqual([{ start: 0, length: 4 * M, dirty: false }]);
    for (const args of [
      ["bitmap", "add", split],
      ["map", split, "--bitmap", id],
    ])
      expect(parablock(args).stderr).toMatch(/^parablock: [^\n]* is a bundle of 2 images, each with bitmaps[^\n]*\n$/);
  });

  it("refuses what makes no sense in one line, and changes nothing then", () => {
    const [path, raw] = [disk("refused.hds"), file("disk.raw")];
    writeFileSync(raw, new Uint8Array(M));
    const id = ok("bitmap", "add", path).trimEnd();
    const before = readFileSync(path);
    const cases: [string[], number, RegExp][] = [
      [["bitmap", "show", path], 2, /Allowed choices are list, add, remove, clear/],
      [["bitmap", "list", path, id], 2, /takes no UUID/],
      [["bitmap", "clear", path], 2, new RegExp(`needs a UUID: .* has ${id}`)],
      [["bitmap", "remove", path, OTHER], 1, new RegExp(`no dirty bitmap ${OTHER}: it has ${id}`)],
      [["bitmap", "remove", path, "mine"], 2, /Give a UUID/],
      [["bitmap", "add", path, id], 1, /there is a dirty bitmap .* already/],
      [["bitmap", "add", path, "--granularity", "3K"], 2, /Give a power of two/],
      [["bitmap", "clear", path, id, "--granularity", "4K"], 2, /--granularity is for bitmap add/],
      [["bitmap", "add", path, "--force-share"], 2, /--force-share is for looking only/],
      [["bitmap", "list", raw], 1, /disk\.raw/],
      [["map", "--bitmap", OTHER, path], 1, new RegExp(`no dirty bitmap ${OTHER}: it has ${id}`)],
      [["map", "--bitmap", id, "--svg", "-", path], 2, /leave --svg out/],
      [["map", "--bitmap", id, "--base", raw, path], 2, /leave --base out/],
      [["map", "--trust-stale", path], 2, /name one with --bitmap/],
    ];
    for (const [args, status, message] of sampled(cases, 3)) {
      const outcome = parablock(args);
      expect([args, outcome.status, outcome.stdout]).toEqual([args, status, ""]);
      expect(outcome.stderr).toMatch(/^parablock: [^\n]*\n$/);
      expect(outcome.stderr).toMatch(message);
    }
    expect(firstDifference(readFileSync(path), before)).toBe(-1);
  });
});

describe("parablock check", () => {
  /** An image with two bitmaps, the extension's cluster changed by `change` and sealed again or not. */
  function damaged(name: string, change: (cluster: Uint8Array) => void, seal: boolean): string {
    const path = disk(name);
    const image = withExtension(readFileSync(path), [{ dirty: [1, 2, 3] }, { id: OTHER, dirty: [4] }]);
    const start = fieldOf(image, FIELD.extensionLow) * 512;
    const cluster = image.subarray(start, start + 64 * K);
    change(cluster);
    if (seal) cluster.set(sealed(cluster));
    writeFileSync(path, image);
    return path;
  }

  it("names a bitmap that cannot be kept, and the repair drops that alone", () => {
    const granularity = FIRST_SECTION + SECTION_HEADER + 24;
    const path = damaged("bad-bitmap.hds", (cluster) => cluster.fill(0xff, granularity, granularity + 4), true);
    const { status, stdout } = parablock(["check", path]);
    expect(status).toBe(2);
    expect(stdout).toMatch(new RegExp(`^corruption: 1 dirty bitmap cannot be kept: bitmap ${ID} [^\\n]*\\n`));
    expect(stdout).toContain("repair with --repair all");
    const repaired = parablock(["check", "--repair", "all", path]);
    expect(repaired.stdout).toMatch(new RegExp(`^repaired: corruption: [^\\n]*bitmap ${ID} `, "m"));
    expect(bitmapsIn(path).map(({ id }) => id)).toEqual([OTHER]);
    expect(json("bitmap", "list", path).bitmaps).toMatchObject([{ id: OTHER, stale: false }]);
    ok("check", "--repair", "leaks", path); // what the bitmap took
    ok("check", path);
  });

  it("names an extension that cannot be kept, and the repair drops it", () => {
    const path = damaged("bad-extension.hds", (cluster) => cluster.fill(1, 40, 41), false);
    const { status, stdout } = parablock(["check", path]);
    expect(status).toBe(2);
    expect(stdout).toMatch(/^corruption: the format extension cannot be kept: [^\n]*checksum[^\n]*\n/);
    expect(parablock(["bitmap", "add", path])).toMatchObject({ status: 1, stdout: "" });
    const repaired = parablock(["check", "--repair", "all", path]);
    expect(repaired.stdout).toMatch(/^repaired: corruption: the format extension cannot be kept: [^\n]*checksum/m);
    expect(readExtension(readFileSync(path))).toBeUndefined();
    parablock(["check", "--repair", "leaks", path]);
    ok("check", path);
  });
});
