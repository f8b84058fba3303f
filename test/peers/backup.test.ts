/** QEMU as judge of dirty bitmaps that we kept up to date, and of copies that were made by them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openFileSync } from "../../src/node.js";
import { makeDisk, parablock } from "../cli/command.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, findTool, fixtures, readFixture, runTool, tool } from "../support/peers.js";
import { type MapEntry, qemu, qemuCheck, qemuCompare, qemuConvert } from "./qemu.js";

const path = temporaryFolder();
const K = 1024;
const M = K * K;
const ID = "e4f2eed0-37fe-4539-b50b-85d2e7fd235f";

const ok = (...args: string[]): string => {
  const { status, stdout, stderr } = parablock(args);
  expect([stderr, status]).toEqual(["", 0]);
  return stdout;
};

interface DirtyRow {
  start: number;
  length: number;
  dirty: boolean;
}

/** What a bitmap says, as a client of a server of QEMU sees it: what is dirty is no data there. */
function qemuBitmap(image: string, id: string): DirtyRow[] {
  const [socket, pid] = [path("nbd.socket"), path("nbd.pid")];
  const nbd = findTool("qemu-nbd") ?? "qemu-nbd";
  const server = ["-f", "parallels", "-k", socket, "--fork", `--pid-file=${pid}`, image];
  runTool(nbd, "--read-only", `--bitmap=${id}`, ...server); // ends with its first client
  try {
    const source = `driver=nbd,server.type=unix,server.path=${socket},x-dirty-bitmap=qemu:dirty-bitmap:${id}`;
    const map = JSON.parse(runTool("qemu-img", "map", "--output=json", "--image-opts", source)) as MapEntry[];
    return map.map(({ start, length, data }) => ({ start, length, dirty: !data }));
  } catch (error) {
    if (existsSync(pid)) process.kill(Number(readFileSync(pid, "utf8")));
    throw error;
  }
}

describeWith([...qemu, tool("qemu-nbd"), fixtures], "Dirty bitmaps, as QEMU sees them", () => {
  it("are the same bits after we wrote, in an image that it takes for sound", () => {
    const image = path("bitmap.hds");
    writeFileSync(image, readFixture("parallels-with-bitmap.hds.gz"));
    const ours = (): DirtyRow[] => JSON.parse(ok("map", "--json", "--bitmap", ID, image));
    const granules = ours()
      .filter(({ dirty }) => dirty)
      .flatMap(({ start, length }) => Array.from({ length: length / 65536 }, (_, index) => start / 65536 + index));
    expect(granules).toEqual([5, 6, 10, 11, 12, 30]);
    expect(qemuBitmap(image, ID)).toEqual(ours());
    const disk = openFileSync(image);
    disk.write(new Uint8Array(300_000).fill(1), 10 * M + 5);
    disk.write(new Uint8Array(3 * M).fill(1), 40 * M);
    disk.writeZeroes(40 * M, 2 * M);
    disk.close();
    expect(ours().filter(({ dirty }) => dirty)).toHaveLength(5);
    expect(qemuBitmap(image, ID)).toEqual(ours());
    qemuCheck(image);
    expect(runTool("qemu-img", "info", "-f", "parallels", image)).toContain("virtual size: 64 GiB");
    const other = ok("bitmap", "add", image, "--granularity", "1M").trimEnd();
    ok("bitmap", "clear", image, ID);
    expect(qemuBitmap(image, other)).toEqual([{ start: 0, length: 65536 * M, dirty: false }]);
    expect(qemuBitmap(image, ID)).toEqual([{ start: 0, length: 65536 * M, dirty: false }]);
  });
});

describeWith(qemu, "Incremental backups, as QEMU sees them", () => {
  it("are the disk, whichever format the copy has", () => {
    const [image, raw, copy, theirs] = [path("disk.hds"), path("copy.raw"), path("copy.hds"), path("theirs.raw")];
    makeDisk(image, { size: 20 * M, clusterSize: 64 * K, fills: [[0, 9 * M, 1]] });
    const id = ok("bitmap", "add", image).trimEnd();
    ok("convert", image, raw);
    ok("convert", image, copy, "--to", "parallels", "--cluster-size", "1M");
    const disk = openFileSync(image);
    disk.write(new Uint8Array(3 * M + 100).fill(2), 8 * M + 12345);
    disk.discard(M, 2 * M);
    disk.resize(25 * M);
    disk.write(new Uint8Array(5000).fill(3), 23 * M);
    disk.close();
    ok("convert", "--bitmap", id, image, copy);
    ok("convert", "--bitmap", id, "--clear", image, raw);
    qemuCompare(image, raw);
    qemuCompare(copy, raw);
    qemuConvert(image, theirs);
    expect(readFileSync(theirs).equals(readFileSync(raw))).toBe(true);
    for (const each of [image, copy]) qemuCheck(each);
  });
});
