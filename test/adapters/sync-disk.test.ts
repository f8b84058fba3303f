/** Disks for emulators that wait for no promise. */
import { describe, expect, it, vi } from "vitest";
import { createDiskFile, SyncDisk } from "../../src/adapters/sync-disk.js";
import { Disk } from "../../src/disk.js";
import { DiskSync } from "../../src/disk-sync.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { FailingStorage } from "../support/storages.js";
import { EmscriptenFile } from "./emscripten-fs.js";

const SIZE = 256 * 1024;
const [SET, CURRENT, END] = [0, 1, 2];
const same = (actual: Uint8Array, expected: Uint8Array) => Buffer.compare(actual, expected) === 0;

function makeDisk() {
  const failing = new FailingStorage(new MemoryStorage(), randomFrom(1));
  return { failing, disk: DiskSync.create(failing, { size: SIZE, clusterSize: 16384 }) };
}

describe("the disk of a worker emulator", () => {
  it("moves as many bytes as asked, in a part of the emulator's memory", () => {
    const { disk } = makeDisk();
    const drive = new SyncDisk(disk);
    const memory = new Uint8Array(10_000).fill(1);
    memory.set(patternBytes(1, 2048), 3000);
    expect(drive.write(memory.subarray(3000), 512, 2048)).toBe(2048);
    expect(drive.read(memory.subarray(6000), 512, 2048)).toBe(2048);
    expect(same(memory.subarray(6000, 8048), patternBytes(1, 2048))).toBe(true);
    expect(memory[8048]).toBe(1);
  });

  it("moves less at the disk's end, and nothing behind it", () => {
    const { disk } = makeDisk();
    const drive = new SyncDisk(disk);
    expect(drive.read(new Uint8Array(1024), SIZE - 512, 1024)).toBe(512);
    expect(drive.write(new Uint8Array(1024), SIZE - 512, 1024)).toBe(512);
    expect(drive.read(new Uint8Array(512), SIZE, 512)).toBe(0);
    expect(drive.write(new Uint8Array(512), SIZE + 4096, 512)).toBe(0);
  });

  it("is named as it is told, else as its file is, and is as large as the disk", () => {
    const { disk } = makeDisk();
    expect(new SyncDisk(disk)).toMatchObject({ name: "disk", size: SIZE });
    expect(new SyncDisk(disk, { name: "Macintosh HD" }).name).toBe("Macintosh HD");
    const storage = Object.assign(new MemoryStorage(), { path: "/disks/System 7.hds" });
    expect(new SyncDisk(DiskSync.create(storage, { size: SIZE })).name).toBe("System 7.hds");
  });

  it("answers that nothing was moved where a request fails, and says why", () => {
    const { disk, failing } = makeDisk();
    const onerror = vi.fn();
    const drive = new SyncDisk(disk, { onerror });
    failing.likelihood = 1;
    expect(drive.write(new Uint8Array(512), 0, 512)).toBe(0);
    expect(onerror).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: "DiskError", code: "IO" }));
    expect(() => new SyncDisk(disk).write(new Uint8Array(512), 0, 512)).toThrow("injected");
  });
});

it("a disk that answers with promises is refused, by the types and when it is called", async () => {
  const disk = await Disk.create(new MemoryStorage(), { size: SIZE });
  // @ts-expect-error: not a DiskSync
  expect(() => new SyncDisk(disk)).toThrow(TypeError);
  // @ts-expect-error: not a DiskSync
  expect(() => createDiskFile(new EmscriptenFile(), "/disk.img", disk)).toThrow("expected a DiskSync");
});

describe("a disk as a file of an Emscripten program", () => {
  function setUp() {
    const { disk, failing } = makeDisk();
    const fs = new EmscriptenFile();
    const onerror = vi.fn();
    createDiskFile(fs, "/disk.img", disk, { onerror });
    return { disk, failing, fs, onerror, stream: fs.open("/disk.img") };
  }

  it("is as large as the disk, and reads and writes its bytes where the stream stands", () => {
    const { disk, fs, stream } = setUp();
    const heap = new Int8Array(8192);
    heap.set(new Int8Array(patternBytes(2, 2000).buffer, 0, 2000), 100);
    expect(fs.stat("/disk.img").size).toBe(SIZE);
    expect(fs.llseek(stream, 5000, SET)).toBe(5000);
    expect(fs.write(stream, heap, 100, 2000)).toBe(2000);
    expect(fs.llseek(stream, -2000, CURRENT)).toBe(5000);
    expect(fs.read(stream, heap, 4000, 2000)).toBe(2000);
    expect(same(new Uint8Array(heap.buffer, 4000, 2000), patternBytes(2, 2000))).toBe(true);
    const direct = new Uint8Array(2000);
    disk.read(direct, 5000);
    expect(same(direct, patternBytes(2, 2000))).toBe(true);
  });

  it("ends where the disk ends", () => {
    const { fs, stream } = setUp();
    const heap = new Uint8Array(1024);
    expect(fs.llseek(stream, -512, END)).toBe(SIZE - 512);
    expect(fs.read(stream, heap, 0, 1024)).toBe(512);
    expect(fs.read(stream, heap, 0, 1024)).toBe(0);
    expect(fs.write(stream, heap, 0, 1024, SIZE - 512)).toBe(512);
    expect(() => fs.write(stream, heap, 0, 512, SIZE)).toThrow("errno 51");
    expect(() => fs.llseek(stream, -1, SET)).toThrow("errno 28");
  });

  it("keeps its size, whoever opens it, and takes other attributes", () => {
    const { fs } = setUp();
    expect(() => fs.open("/disk.img", "w")).toThrow("errno 28");
    expect(() => fs.truncate("/disk.img", 512)).toThrow("errno 28");
    expect(() => fs.truncate("/disk.img", SIZE)).not.toThrow();
    fs.utime("/disk.img", 2000);
    expect(fs.stat("/disk.img")).toMatchObject({ size: SIZE, mtime: 2000 });
  });

  it("cannot be mapped or grown, and is flushed when the program asks", () => {
    const { disk, stream } = setUp();
    const flush = vi.spyOn(disk, "flush");
    expect(() => stream.stream_ops.mmap!(stream, 512)).toThrow("errno 43");
    expect(() => stream.stream_ops.allocate!(stream, 0, 512)).toThrow("errno 138");
    expect(stream.stream_ops.fsync!(stream)).toBe(0);
    expect(flush).toHaveBeenCalledOnce();
  });

  it("fails with the errno that fits, and tells the host the error", () => {
    const { fs, failing, onerror, stream } = setUp();
    failing.likelihood = 1;
    expect(() => fs.write(stream, new Uint8Array(512), 0, 512)).toThrow("errno 29");
    expect(onerror).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "IO" }));
    const full = Object.assign(new Error("no room"), { code: "ENOSPC" });
    vi.spyOn(failing, "write").mockImplementation(() => {
      throw full;
    });
    expect(() => fs.write(stream, new Uint8Array(512), 0, 512)).toThrow("errno 51");
  });

  it("is read-only where the disk is", () => {
    const storage = new MemoryStorage();
    DiskSync.create(storage, { size: SIZE, clusterSize: 16384 }).close();
    const disk = DiskSync.open(new MemoryStorage(storage.toUint8Array()), { readOnly: true });
    const fs = new EmscriptenFile();
    createDiskFile(fs, "/disk.img", disk);
    expect(fs.stat("/disk.img").mode & 0o777).toBe(0o444);
    expect(() => fs.write(fs.open("/disk.img"), new Uint8Array(512), 0, 512)).toThrow("errno 69");
  });
});
