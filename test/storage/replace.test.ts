/** A file that is replaced is as it was until the new one is complete, whatever fails; and new names are durable. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname, join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { cached, Disk, MemoryStorage } from "../../src/index.js";
import { createFile, createFileSync, FileStorage, FileStorageSync, openFileSync } from "../../src/node.js";
import { Draft } from "../../src/storage/draft.js";
import { type AnyDisk, createDisk, type FaceKind, faces } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, type Need } from "../support/peers.js";

const path = temporaryFolder();
const isRoot = process.getuid?.() === 0;
const volume = path("volume");
const mounting: Need = { name: "mounting a tmpfs (root)", present: isRoot && mount(), required: false };

function mount(): boolean {
  fs.mkdirSync(volume);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", volume], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

afterAll(() => {
  if (mounting.present) execFileSync("umount", [volume]);
});

const PRECIOUS = "precious";

let number = 0;
/** A folder with an old file of another kind in it. */
function oldFile(folder = path(`folder-${number++}`)): string {
  fs.mkdirSync(folder, { recursive: true });
  const file = join(folder, "disk.hds");
  fs.writeFileSync(file, PRECIOUS);
  return file;
}

/** Makes a disk over what is there, with whatever plain JavaScript hands in. */
async function replace(face: FaceKind, file: string, options: object = {}): Promise<AnyDisk> {
  const all = { size: 65536, clusterSize: 4096, replace: true, ...options };
  return face === "sync" ? createFileSync(file, all as never) : createFile(file, all as never);
}

function expectIntact(file: string): void {
  expect(fs.readFileSync(file, "utf8")).toBe(PRECIOUS);
  expect(fs.readdirSync(dirname(file))).toEqual([basename(file)]);
}

const fail = () => {
  throw new Error("the base is gone");
};
const failing: [string, object][] = [
  ["prealloc", { prealloc: { mode: "full" } }],
  ["prealloc's size", { prealloc: { mode: "off", size: "1M" } }],
  ["repair", { repair: "yes" }],
  ["a base that is a path", { base: "vm.raw" }],
  ["engine", { engine: "fast" }],
  ["an unknown name", { readonly: false }],
  ["replace", { replace: "yes" }],
  ["size", { size: 1000 }],
  ["a base without a size", { base: { size: fail, read: fail } }],
  ["a base that cannot be read", { base: { size: () => 4096, read: fail } }],
  ["a base that is a disk and cannot be read", { base: { size: 4096, read: fail } }],
];

describe.each(faces)("A file that is to be replaced (%s face)", (face) => {
  it.each(failing)("is as it was where %s is wrong", async (_, options) => {
    const file = oldFile();
    await expect(replace(face, file, options)).rejects.toThrow();
    expectIntact(file);
    (await replace(face, file)).abandon();
  });

  it("gives its name to the new one only when that is complete, and what is open keeps its place", async () => {
    const file = oldFile();
    const before = fs.openSync(file, "r");
    let duringRead: string[] = [];
    const base = {
      size: 4096,
      read() {
        duringRead = fs.readdirSync(dirname(file)).filter((name) => !name.includes(".lock-"));
        expect(fs.readFileSync(file, "utf8")).toBe(PRECIOUS);
        expect(() => openFileSync(file)).toThrow(expect.objectContaining({ code: "IN_USE" }));
      },
    };
    const disk = await replace(face, file, { base });
    expect(duringRead).toEqual(["disk.hds", expect.stringContaining("disk.hds.part-")]);
    expect(disk.path).toBe(file);
    expect(fs.readFileSync(before, "utf8")).toBe(PRECIOUS);
    fs.closeSync(before);
    await disk.write(new Uint8Array(4096).fill(9), 0);
    await disk.close();
    expect(fs.readdirSync(dirname(file))).toEqual(["disk.hds"]);
    const again = openFileSync(file, { readOnly: true });
    expect(again.allocatedBytes).toBe(4096);
    again.close();
  });

  it("keeps its rights, and is found through links, also through one that leads nowhere yet", async () => {
    const file = oldFile();
    fs.chmodSync(file, 0o640);
    if (isRoot) fs.chownSync(file, 12345, 54321);
    const { uid, gid } = fs.statSync(file);
    const link = path(`link-${number}.hds`);
    fs.symlinkSync(file, link);
    const disk = await replace(face, link);
    expect(disk.path).toBe(link);
    await disk.close();
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(fs.statSync(file)).toMatchObject({ uid, gid });
    expect(fs.statSync(file).mode & 0o777).toBe(0o640);
    expect(fs.readFileSync(file).length).toBeGreaterThan(64);

    const target = path(`later-${number}.hds`);
    const dangling = path(`dangling-${number}.hds`);
    fs.symlinkSync(basename(target), dangling);
    await (await replace(face, dangling)).close();
    expect(fs.lstatSync(dangling).isSymbolicLink()).toBe(true);
    expect(fs.statSync(target).size).toBeGreaterThan(64);
  });

  it("is not replaced by way of links that lead in a circle", async () => {
    const [one, other] = [path(`one-${number}`), path(`other-${number++}`)];
    fs.symlinkSync(one, other);
    fs.symlinkSync(other, one);
    await expect(replace(face, one)).rejects.toThrow(/too many symbolic links/);
  });

  it("is not made over a link without being told to replace", async () => {
    const target = path(`none-${number}`);
    const dangling = path(`to-none-${number++}`);
    fs.symlinkSync(target, dangling);
    await expect(replace(face, dangling, { replace: false })).rejects.toMatchObject({ code: "EXISTS" });
    expect(fs.existsSync(target)).toBe(false);
  });

  it("is left alone where the new one's names would be too long for the file system", async () => {
    const file = join(path("."), `${"n".repeat(240)}.hds`);
    fs.writeFileSync(file, PRECIOUS);
    await (await replace(face, file)).close();
    expect(fs.readFileSync(file).length).toBeGreaterThan(64);
  });

  it("is refused where it is a folder or no regular file", async () => {
    await expect(replace(face, path("."))).rejects.toMatchObject({ code: "IS_DIRECTORY" });
    const fifo = path(`fifo-${number++}`);
    execFileSync("mkfifo", [fifo]);
    await expect(replace(face, fifo)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(replace(face, path("nowhere/disk.hds"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe.each(faces)("How a file is locked (%s face)", (face) => {
  it("is told by the disk, also through a cache, and not where a storage knows no locks", async () => {
    const file = path(`told-${face}.hds`);
    const disk = await replace(face, file);
    const { lock } = disk.info;
    expect(lock).toMatch(/^(system|file)$/);
    await disk.close();
    const through = await Disk.open(cached(await FileStorage.open(file)));
    expect(through.info.lock).toBe(lock);
    await through.close();
    const shared = openFileSync(file, { readOnly: true, share: true });
    expect(shared.info).toMatchObject({ lock: "none", lockFallback: "opened with share" });
    shared.close();
    const memory = await createDisk(face, new MemoryStorage(), { size: 512 });
    expect("lock" in memory.info).toBe(false);
  });
});

describeWith([mounting], "On a device without space", () => {
  it.each(faces)("a file that is to be replaced is as it was (%s face)", async (face) => {
    const file = oldFile(join(volume, face));
    await expect(replace(face, file, { size: 2 ** 40 })).rejects.toMatchObject({ code: "NO_SPACE" });
    expectIntact(file);
  });

  it("a backup that finds no room leaves no file", () => {
    const storage = FileStorageSync.open(oldFile(join(volume, "beside")));
    expect(() => storage.saveBeside("backup", new Uint8Array(2 ** 21))).toThrow(
      expect.objectContaining({ code: "NO_SPACE" }),
    );
    const { path: file } = storage;
    storage.close();
    expectIntact(file);
  });
});

describe("A draft", () => {
  it("that finds its target open when it is complete does not replace it", () => {
    const target = path("target.hds");
    const draft = Draft.begin(target, true);
    fs.writeFileSync(target, PRECIOUS);
    const reader = FileStorageSync.open(target, { readOnly: true });
    expect(() => draft.publish()).toThrow(expect.objectContaining({ code: "IN_USE" }));
    reader.close();
    draft.discard();
    expect(fs.readFileSync(target, "utf8")).toBe(PRECIOUS);
    expect(fs.readdirSync(dirname(target)).filter((name) => name.includes(".part-"))).toEqual([]);
  });
});

/** The real calls, written down: syncs by the path of what was synced, and renames. */
describe("What is new is durable by name", () => {
  const { fsyncSync, renameSync } = fs;
  let calls: string[] = [];

  function watch(): void {
    calls = [];
    fs.fsyncSync = (fd) => {
      calls.push(`sync ${fs.readlinkSync(`/proc/self/fd/${fd}`)}`);
      fsyncSync(fd);
    };
    fs.renameSync = (from, to) => {
      calls.push(`rename ${to}`);
      renameSync(from, to);
    };
    syncBuiltinESMExports();
  }

  afterEach(() => {
    Object.assign(fs, { fsyncSync, renameSync });
    syncBuiltinESMExports();
  });

  const onLinux = process.platform === "linux" ? it : it.skip;

  onLinux("where a file is made: its folder is synced", () => {
    const folder = dirname(oldFile());
    watch();
    createFileSync(join(folder, "new.hds"), { size: 65536 }).close();
    expect(calls).toContain(`sync ${folder}`);
    calls = [];
    FileStorageSync.open(join(folder, "newer"), { create: "new" }).close();
    expect(calls).toEqual([`sync ${folder}`]);
  });

  onLinux("where one is replaced: the file is synced, then renamed, then its folder is synced", () => {
    const file = oldFile();
    watch();
    createFileSync(file, { size: 65536, replace: true }).abandon();
    const renamed = calls.indexOf(`rename ${file}`);
    expect(calls.slice(0, renamed).at(-1)).toMatch(/^sync .*disk\.hds\.part-/);
    expect(calls.slice(renamed + 1)).toContain(`sync ${dirname(file)}`);
  });

  onLinux("where something is saved beside a file: its bytes, then its name", () => {
    const file = oldFile();
    const storage = FileStorageSync.open(file);
    watch();
    storage.saveBeside("backup", new Uint8Array(10));
    expect(calls).toEqual([`sync ${file}.backup-1`, `sync ${dirname(file)}`]);
    storage.close();
  });
});
