/** `parablock convert --bitmap`: what it copies, what it does not even read, and what is left where it is cut off. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyDirty } from "../../src/cli/copy-dirty.js";
import { type BlockDevice, Disk, MemoryStorage, rawDevice } from "../../src/index.js";
import { openFileSync } from "../../src/node.js";
import { firstDifference } from "../support/bytes.js";
import { temporaryFolder } from "../support/folder.js";
import { runs, sampled } from "../support/runs.js";
import { PassingStorage } from "../support/storages.js";
import { cliPath, contentOf, makeDisk, parablock, patch } from "./command.js";

const file = temporaryFolder();
const K = 1024;
const M = K * K;
const IN_USE = 44;

const ok = (...args: string[]): string => {
  const { status, stdout, stderr } = parablock(args);
  expect([stderr, status]).toEqual(["", 0]);
  return stdout;
};
const json = (...args: string[]) => JSON.parse(ok(...args, "--json"));
const dirtyBytesOf = (path: string) => json("bitmap", "list", path).bitmaps[0].dirtyBytes;
const expectSame = (a: string, b: string) => expect(parablock(["compare", a, b])).toMatchObject({ status: 0 });

function change(path: string, work: (disk: ReturnType<typeof openFileSync>) => void): void {
  const disk = openFileSync(path);
  work(disk);
  disk.close();
}

/** A disk of 4 MiB with a bitmap, a copy of it, and changes since: 3 granules, one of them zeros now. */
function prepare(name: string, copy: string): { disk: string; out: string; id: string } {
  const [disk, out] = [file(`${name}-${copy}-disk.hds`), file(`${name}-${copy}`)];
  makeDisk(disk, { size: 4 * M, clusterSize: 64 * K, fills: [[0, 3 * M, 1]] });
  const id = ok("bitmap", "add", disk).trimEnd();
  ok("convert", disk, out, ...(copy.endsWith(".hds") ? ["--to", "parallels"] : []));
  change(disk, (disk) => {
    disk.write(new Uint8Array(60 * K).fill(2), 3 * M - 5 * K);
    disk.discard(M, 64 * K);
  });
  return { disk, out, id };
}

describe("parablock convert --bitmap", () => {
  it.each(sampled(["copy.hds", "copy.raw"], 2))("brings %s up to date with what changed, and nothing else", (copy) => {
    const { disk, out, id } = prepare("round", copy);
    const dirty = 3 * 64 * K;
    const before = contentOf(disk);
    // Whoever read a cluster that is clean would find other bytes in it: the first is where the data area begins.
    const { dataOffset } = json("info", disk);
    const [original, bytes] = [readFileSync(disk), readFileSync(disk)];
    bytes.fill(9, dataOffset, dataOffset + 64 * K);
    writeFileSync(disk, bytes);
    expect(ok("convert", "--bitmap", id, disk, out)).toBe(
      `192 KiB in 2 ranges (4.69 % of the disk) copied to ${out}\n`,
    );
    expect(firstDifference(readFileSync(disk), bytes)).toBe(-1);
    writeFileSync(disk, original);
    expectSame(disk, out);
    const first = json("convert", "--bitmap", id, "--clear", disk, out);
    expect(first).toEqual({
      ...{ filename: disk, output: out, bitmap: id, cleared: true },
      ...{ dirtyRanges: 2, dirtyBytes: dirty, size: 4 * M, previousSize: 4 * M },
    });
    expect(dirtyBytesOf(disk)).toBe(0);
    const [cleared, kept] = [readFileSync(disk), readFileSync(out)];
    const { mtimeNs } = statSync(out, { bigint: true });
    expect(ok("convert", "--bitmap", id, "--clear", disk, out)).toBe(
      `Nothing changed: ${out} is up to date; the bitmap begins anew\n`,
    );
    expect(firstDifference(readFileSync(disk), cleared)).toBe(-1);
    expect(firstDifference(readFileSync(out), kept)).toBe(-1);
    expect(statSync(out, { bigint: true }).mtimeNs).toBe(mtimeNs);
    expect(firstDifference(contentOf(disk), before)).toBe(-1);
  });

  it.each(sampled(["grown.hds", "grown.raw"], 2))(
    "lets %s grow with the disk, and refuses one that is larger",
    (copy) => {
      const { disk, out, id } = prepare("size", copy);
      change(disk, (disk) => {
        disk.resize(6 * M);
        disk.write(new Uint8Array(100).fill(5), 6 * M - 100);
      });
      const grown = ok("convert", "--bitmap", id, "--clear", disk, out);
      expect(grown).toMatch(/ grew from 4 MiB to 6 MiB\n2\.19 MiB in 3 ranges [^\n]*; the bitmap begins anew\n$/);
      expectSame(disk, out);
      const early = file(`early-${copy}`);
      ok("convert", disk, early, ...(copy.endsWith(".hds") ? ["--to", "parallels"] : []));
      ok("resize", "--shrink", early, "5M");
      const tooSmall = parablock(["convert", "--bitmap", id, disk, early]);
      expect(tooSmall.status).toBe(1);
      expect(tooSmall.stderr).toMatch(/^parablock: [^\n]*no copy of that time[^\n]*\n$/);
      change(disk, (disk) => disk.resize(5 * M));
      const tooLarge = parablock(["convert", "--bitmap", id, disk, out]);
      expect(tooLarge.stderr).toMatch(/^parablock: [^\n]*6 MiB[^\n]*resize --shrink[^\n]*\n$/);
      ok("resize", "--shrink", out, `${5 * M}`);
      ok("convert", "--bitmap", id, disk, out);
      expectSame(disk, out);
    },
  );

  it("takes an overlay with its base, and the image of a bundle", () => {
    const { disk, out } = prepare("base", "copy.raw");
    const [top, merged, bundle] = [file("top.hds"), file("merged.raw"), file("vm.hdd")];
    makeDisk(top, { size: 4 * M, clusterSize: 4 * K });
    ok("convert", "--base", disk, top, merged);
    const own = ok("bitmap", "add", top).trimEnd();
    change(top, (disk) => disk.write(new Uint8Array(4 * K).fill(4), 2 * M));
    expect(json("convert", "--bitmap", own, "--base", disk, top, merged).dirtyBytes).toBe(64 * K);
    const expected = contentOf(disk).fill(4, 2 * M, 2 * M + 4 * K);
    expect(firstDifference(readFileSync(merged), expected)).toBe(-1);
    ok("convert", out, bundle);
    const inBundle = ok("bitmap", "add", bundle).trimEnd();
    expect(ok("convert", "--bitmap", inBundle, bundle, out)).toBe(`Nothing changed: ${out} is up to date\n`);
  });

  it("believes no stale bitmap unless it is told to, and makes that one current", () => {
    const { disk, out, id } = prepare("stale", "copy.raw");
    patch(disk, { [IN_USE]: 0 });
    const before = [disk, out].map((path) => readFileSync(path));
    const refused = parablock(["convert", "--bitmap", id, "--clear", disk, out]);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^parablock: [^\n]*may have missed changes[^\n]*then copy the whole disk[^\n]*\n$/);
    for (const [index, path] of [disk, out].entries())
      expect(firstDifference(readFileSync(path), before[index])).toBe(-1);
    ok("convert", "--bitmap", id, "--clear", "--trust-stale", disk, out);
    expectSame(disk, out);
    expect(json("bitmap", "list", disk).bitmaps).toMatchObject([{ id, stale: false, dirtyBytes: 0 }]);
  });

  it("refuses what makes no sense in one line, and changes nothing then", () => {
    const { disk, out, id } = prepare("refused", "copy.raw");
    const other = file("link.hds");
    copyFileSync(disk, other);
    const before = [disk, out].map((path) => readFileSync(path));
    const cases: [string[], number, RegExp][] = [
      [["--bitmap", id, disk, disk], 2, /would overwrite/],
      [["--bitmap", id, disk, file("absent.raw")], 1, /bitmap clear.*then make a whole copy/],
      [["--bitmap", id, disk, "-"], 2, /standard input and output have no past/],
      [["--bitmap", id, disk, out, "--force"], 2, /leave --force out/],
      [["--bitmap", id, disk, out, "--cluster-size", "64K"], 2, /leave --cluster-size out/],
      [["--bitmap", id, out, disk], 1, /copy\.raw/],
      [["--bitmap", "00000000-0000-4000-8000-000000000000", disk, out], 1, new RegExp(`it has ${id}`)],
      [["--clear", disk, out], 2, /name a bitmap with --bitmap/],
      [["--bitmap", id, "--clear", "--force-share", disk, out], 2, /leave it out to clear/],
    ];
    for (const [args, status, message] of sampled(cases, 3)) {
      const outcome = parablock(["convert", ...args]);
      expect([args, outcome.status, outcome.stdout]).toEqual([args, status, ""]);
      expect(outcome.stderr).toMatch(/^parablock: [^\n]*\n$/);
      expect(outcome.stderr).toMatch(message);
    }
    for (const [index, path] of [disk, out].entries())
      expect(firstDifference(readFileSync(path), before[index])).toBe(-1);
  });
});

describe("an incremental backup that is cut off", () => {
  const preload = fileURLToPath(new URL("./stop-at-write.mjs", import.meta.url));
  /** Ends the command when it is about to write to a file for the nth time. */
  function stopped(at: string, nth: number, signal: NodeJS.Signals, args: string[]) {
    const env = { ...process.env, STOP_FILE: at, STOP_AT: `${nth}`, STOP_SIGNAL: signal };
    const { stderr, ...rest } = spawnSync(process.execPath, ["--import", preload, cliPath, ...args], { env });
    return { ...rest, stderr: stderr.toString() };
  }

  it("by Ctrl-C leaves a half-done copy and the bitmap, and says what to do", () => {
    const { disk, out, id } = prepare("ctrl-c", "copy.hds");
    change(disk, (disk) => disk.write(new Uint8Array(3 * M).fill(6), 0));
    const before = readFileSync(disk);
    const args = ["convert", "--bitmap", id, "--clear", disk, out];
    const { status, stderr } = stopped(out, 2, "SIGINT", args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^parablock: interrupted; [^\n]*half-done copy[^\n]*bitmap is as it was: run this again\n$/);
    expect(firstDifference(readFileSync(disk), before)).toBe(-1);
    expect(parablock(["check", out])).toMatchObject({ status: 0 });
    ok(...args);
    expectSame(disk, out);
  });

  it.each(sampled([1, 2], 2))("by kill -9 at write %i of the copy leaves the bitmap as it was", (nth) => {
    const { disk, out, id } = prepare("kill", `${nth}.raw`);
    const before = readFileSync(disk);
    const args = ["convert", "--bitmap", id, "--clear", disk, out];
    expect(stopped(out, nth, "SIGKILL", args).signal).toBe("SIGKILL");
    expect(firstDifference(readFileSync(disk), before)).toBe(-1);
    ok(...args);
    expectSame(disk, out);
  });

  it.each(sampled([1, 2, 4], 3))("by kill -9 at write %i of the clearing leaves a copy that is complete", (nth) => {
    const { disk, out, id } = prepare("clear", `${nth}.raw`);
    const { signal } = stopped(disk, nth, "SIGKILL", ["convert", "--bitmap", id, "--clear", disk, out]);
    expect(signal).toBe("SIGKILL");
    expectSame(disk, out);
    const [bitmap] = json("bitmap", "list", disk).bitmaps;
    expect(bitmap.stale || [0, 3 * 64 * K].includes(bitmap.dirtyBytes)).toBe(true);
  });
});

describe("what is read and written", () => {
  /** Counts what is read of the data area. */
  class CountedStorage extends PassingStorage<MemoryStorage> {
    dataStart = 0;
    bytes = 0;

    override read(buffer: Uint8Array, offset: number): number {
      if (offset + buffer.length > this.dataStart) this.bytes += buffer.length;
      return super.read(buffer, offset);
    }
  }

  /** A device that counts what is changed on it. */
  function counted(device: BlockDevice): BlockDevice & { changes: number } {
    const counting = {
      changes: 0,
      size: device.size,
      ...(device.clusterSize === undefined ? {} : { clusterSize: device.clusterSize }),
      read: (buffer: Uint8Array, offset: number) => device.read(buffer, offset),
      write: async (buffer: Uint8Array, offset: number) => {
        counting.changes += buffer.length;
        await device.write?.(buffer, offset);
      },
      writeZeroes: async (offset: number, length: number) => {
        counting.changes += length;
        await device.writeZeroes?.(offset, length);
      },
    };
    return counting;
  }

  const range = fc.record({ offset: fc.nat(), length: fc.integer({ min: 1, max: 200_000 }) });
  const step = fc.record({ range, verb: fc.constantFrom("write", "zeros", "discard"), value: fc.integer({ max: 3 }) });
  const layout = fc.record({
    sectors: fc.integer({ min: 1, max: 6000 }),
    cluster: fc.constantFrom(1, 8, 63, 128, 504),
    outCluster: fc.constantFrom(0, 1, 63, 128, 2048),
    granularity: fc.constantFrom(512, 4096, 65536),
  });

  it("is the dirty granules, round after round, and nothing where nothing changed", async () => {
    const property = fc.asyncProperty(
      layout,
      fc.array(fc.array(step, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      async ({ sectors, cluster, outCluster, granularity }, rounds) => {
        const size = 512 * sectors;
        const storage = new CountedStorage(new MemoryStorage());
        const disk = await Disk.create(storage, { size, clusterSize: 512 * cluster });
        const id = await disk.addBitmap({ granularity });
        const out =
          outCluster === 0
            ? await rawDevice(new MemoryStorage(new Uint8Array(size)))
            : await Disk.create(new MemoryStorage(), { size, clusterSize: 512 * outCluster });
        for (const steps of [...rounds, []]) {
          for (const { verb, value, range } of steps) {
            const offset = range.offset % size;
            const length = Math.min(range.length, size - offset);
            if (verb === "write") await disk.write(new Uint8Array(length).fill(value), offset);
            else if (verb === "zeros") await disk.writeZeroes(offset, length);
            else await disk.discard(offset, length);
          }
          await disk.flush();
          const dirty = (await disk.dirtyRanges(id)).reduce((sum, { length }) => sum + length, 0);
          // The bitmap's own clusters are in the data area, too: what is read of them is no data.
          storage.bytes = 0;
          await disk.dirtyRanges(id);
          const own = storage.bytes;
          const target = counted(out);
          let done = 0;
          storage.dataStart = disk.info.dataOffset;
          storage.bytes = 0;
          await copyDirty(disk, { id }, target, { onProgress: (bytes) => (done = bytes) });
          expect(storage.bytes - own).toBeLessThanOrEqual(dirty);
          expect([target.changes, done]).toEqual([dirty, dirty]);
          await disk.clearBitmap(id);
          const [ours, theirs] = [new Uint8Array(size), new Uint8Array(size)];
          await disk.read(ours, 0);
          await out.read(theirs, 0);
          expect(firstDifference(ours, theirs)).toBe(-1);
        }
      },
    );
    await fc.assert(property, runs(300, 10));
  });

  it("ends with the reason of a signal, between two pieces", async () => {
    const disk = await Disk.create(new MemoryStorage(), { size: 16 * M });
    const id = await disk.addBitmap();
    await disk.write(new Uint8Array(12 * M).fill(1), 0);
    const stop = new AbortController();
    const target = counted(await rawDevice(new MemoryStorage(new Uint8Array(16 * M))));
    const onProgress = () => stop.abort(new Error("enough"));
    await expect(copyDirty(disk, { id }, target, { onProgress, signal: stop.signal })).rejects.toThrow("enough");
    expect(target.changes).toBeLessThan(12 * M);
    expect(target.changes).toBeGreaterThan(0);
  });
});
