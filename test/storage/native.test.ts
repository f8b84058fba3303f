/** The calls that koffi makes: which names they have where, and that offsets stay whole. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileStorage } from "../../src/storage/file.js";
import { findKoffi, type Koffi } from "../../src/storage/koffi.js";
import { bindCalls, type CallNames, callNames } from "../../src/storage/libc.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, nativeCalls } from "../support/peers.js";

const path = temporaryFolder();
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const PLAIN = { fallocate: "fallocate", lseek: "lseek", fcntl: "fcntl", preadv2: "preadv2" };
const LARGE = { fallocate: "fallocate64", lseek: "lseek64", fcntl: "fcntl64", preadv2: "preadv64v2" };

describe("The calls with 64-bit offsets", () => {
  it.each([
    ["linux", "x64", PLAIN],
    ["linux", "arm64", PLAIN],
    ["linux", "riscv64", PLAIN],
    ["linux", "loong64", PLAIN],
    ["linux", "ppc64", PLAIN],
    ["linux", "s390x", PLAIN],
    ["linux", "ia32", LARGE],
    ["linux", "arm", LARGE],
    ["linux", "mips", "not available on Linux for mips"],
    ["linux", "mipsel", "not available on Linux for mipsel"],
    ["linux", "ppc", "not available on Linux for ppc"],
    ["linux", "s390", "not available on Linux for s390"],
    ["linux", "one of tomorrow", "not available on Linux for one of tomorrow"],
    ["darwin", "arm64", "not available on darwin"],
    ["win32", "ia32", "not available on win32"],
    ["android", "arm", "not available on android"],
  ])("are on %s, %s: %j", (platform, arch, expected) => {
    expect(callNames(platform, arch)).toEqual(expected);
  });
});

describeWith([nativeCalls], "Calls that are bound", () => {
  const koffi = findKoffi() as Koffi;

  // A 64-bit C library has both names, so that each can be tried; on a 32-bit one only the latter are right.
  it.each([
    ["by their plain names", PLAIN],
    ["by those for large files", LARGE],
  ])("%s reach beyond 4 GiB, and nothing 4 GiB before", (title, names: CallNames) => {
    const calls = bindCalls(koffi, names);
    const fd = openSync(path(title), "wx+");
    const block = new Uint8Array(65536).fill(7);
    const read = (offset: number) => {
      const byte = new Uint8Array(1);
      readSync(fd, byte, 0, 1, offset);
      return byte[0];
    };
    for (const offset of [GIB, 5 * GIB]) writeSync(fd, block, 0, block.length, offset);
    expect(calls.nextData(fd, 2 * GIB)).toEqual({ start: 5 * GIB, end: 5 * GIB + 65536 });
    const cached = new Uint8Array(4096);
    expect(calls.readCached(fd, cached, 5 * GIB)).toBe(4096); // it was only just written
    expect(cached).toEqual(block.subarray(0, 4096));
    expect(calls.readCached(fd, cached, 5 * GIB + 65536 - 10)).toBe(10);
    expect(calls.readCached(fd, cached, 6 * GIB)).toBe(0);
    calls.punch(fd, 5 * GIB, 4096);
    expect([GIB, 5 * GIB, 5 * GIB + 4096].map(read)).toEqual([7, 0, 7]);
    calls.allocate(fd, 6 * GIB, 4096);
    expect(fstatSync(fd).size).toBe(6 * GIB + 4096);
    const other = openSync(path(title), "r+");
    expect(calls.setReadLock(fd, 5 * GIB, 1, true)).toBe(true);
    expect([GIB, 5 * GIB].map((byte) => calls.isLocked(other, byte))).toEqual([false, true]);
    for (const open of [fd, other]) closeSync(open);
  });

  it("read nothing at once where the C library cannot, or the file is not to be read", () => {
    const fd = openSync(path("unread"), "w");
    writeSync(fd, new Uint8Array(4096));
    expect(bindCalls(koffi, PLAIN).readCached(fd, new Uint8Array(10), 0)).toBe(undefined);
    closeSync(fd);
    const readable = openSync(path("unread"), "r");
    expect(bindCalls(koffi, PLAIN).readCached(readable, new Uint8Array(10), 0)).toBe(10);
    expect(bindCalls(koffi, { ...PLAIN, preadv2: "preadv128" }).readCached(readable, new Uint8Array(10), 0)).toBe(
      undefined,
    );
    closeSync(readable);
  });

  it("are refused where a name is missing, before any is made", () => {
    expect(() => bindCalls(koffi, { ...PLAIN, lseek: "lseek128" })).toThrow(/lseek128/);
  });

  it("have a file written back while it is written on; closing waits for that", async () => {
    const file = await FileStorage.open(path("written-back"), { create: "new" });
    const [one, other] = [1, 2].map((byte) => new Uint8Array(MIB).fill(byte));
    await file.write(one, 0);
    const ended: string[] = [];
    const pending = [
      file.writeBack().then(() => ended.push("written back")),
      file.write(other, MIB).then(() => ended.push("written on")),
    ];
    await file.close();
    expect(ended.sort()).toEqual(["written back", "written on"]);
    await Promise.all(pending);
    await expect(file.writeBack()).rejects.toMatchObject({ code: "CLOSED" });
    expect(readFileSync(path("written-back"))).toEqual(Buffer.concat([one, other]));
  });
});
