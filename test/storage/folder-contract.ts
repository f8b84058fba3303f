/**
 * What every folder must do (src/storage/folder.ts). The cases need no test runner and nothing of Node: they are
 * registered by folder.test.ts, and run in a browser by whoever bundles them.
 */
import { DiskError } from "../../src/errors.js";
import { isThenable } from "../../src/promises.js";
import type { Folder } from "../../src/storage/folder.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { createDisk, type FaceKind, openDisk, readRange } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import type { Case } from "./contract.js";
import { equal, ok, same, thrownBy, throws } from "./judge.js";

export type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** A kind of folder under test. */
export interface FolderKit {
  name: string;
  /** It answers at once. */
  sync?: boolean;
  /** The faces that a disk in it can have. */
  faces: readonly FaceKind[];
  /** Where nothing can be changed: only reading is tested. */
  readOnly?: boolean;
  /** Where it cannot be asked which files there are. */
  listless?: boolean;
  /** Even who reads a file is alone, as in OPFS outside of Chromium. */
  exclusive?: boolean;
  /** There are no folders in it. */
  flat?: boolean;
  /** A folder that holds these files, and a folder besides, "within", where that can be; what was in an earlier one is gone. */
  make(files: Files): Folder | Promise<Folder>;
  /** Another one over what the last one left behind. */
  reopen(): Folder | Promise<Folder>;
}

type FolderCase = Case<[FolderKit]>;

const A = patternBytes(1, 70_000);
const B = patternBytes(2, 300);
const FILES: Files = { "a.hds": A, "b {c}%2e#?.hds": B, empty: new Uint8Array() };
const NO_NAMES = [
  "",
  ".",
  "..",
  "a/b",
  "/a.hds",
  "../a.hds",
  "within/..",
  "a\\b",
  "..\\a.hds",
  "a\0",
  "\ud800",
  "x".repeat(256),
];

const reading: FolderCase[] = [
  {
    title: "lists the files in it, and no folders; or says that it cannot",
    writes: false,
    async run(kit) {
      const folder = await kit.make(FILES);
      if (kit.listless) await fails("UNSUPPORTED", () => folder.list());
      else sameNames(await folder.list(), Object.keys(FILES));
    },
  },
  {
    title: "opens a file by its name, and it alone",
    writes: false,
    async run(kit) {
      const folder = await kit.make(FILES);
      for (const [name, content] of Object.entries(FILES)) same(await contentOf(folder, name), content);
      await fails("NOT_FOUND", () => folder.open("A.hds.", { readOnly: true }));
      await fails("NOT_FOUND", () => folder.open("b {c}.#?.hds", { readOnly: true }));
    },
  },
  {
    title: "lets several read a file at once, where that can be, and nobody who only reads write",
    writes: false,
    async run(kit) {
      const folder = await kit.make(FILES);
      const one = await folder.open("a.hds", { readOnly: true });
      if (kit.exclusive) await fails("IN_USE", () => folder.open("a.hds", { readOnly: true }));
      const two = kit.exclusive ? undefined : await folder.open("a.hds", { readOnly: true });
      if (two) same(await readWhole(two), A);
      await two?.close();
      same(await readWhole(one), A);
      equal(one.readOnly, true);
      await throws(() => one.write(new Uint8Array(1), 0));
      await throws(() => one.truncate(0));
      await one.close();
      await throws(() => one.size());
    },
  },
  {
    title: "takes no name that leads out of it, nor one that is none",
    writes: false,
    async run(kit) {
      const folder = await kit.make(FILES);
      for (const name of [...NO_NAMES, undefined, null, 1, {}] as string[]) {
        const kind = typeof name === "string" ? RangeError : TypeError;
        await mistake(kind, () => folder.open(name, { readOnly: true }));
        await mistake(kind, () => folder.create(name));
        await mistake(kind, () => folder.remove(name));
        await mistake(kind, () => folder.rename(name, "c"));
        await mistake(kind, () => folder.rename("a.hds", name));
      }
      same(await contentOf(folder, "a.hds"), A);
    },
  },
  {
    title: "takes no options that it does not know, nor two writers",
    writes: false,
    async run(kit) {
      const folder = await kit.make(FILES);
      await mistake(TypeError, () => folder.open("a.hds", { readonly: true } as object));
      await mistake(TypeError, () => folder.open("a.hds", { readOnly: 1 } as object));
      await mistake(TypeError, () => folder.open("a.hds", { share: true }));
    },
  },
  {
    title: "carries images that are read",
    writes: false,
    async run(kit) {
      for (const face of kit.faces) {
        const folder = await kit.make({ "disk.hds": await imageBytes() });
        const disk = await openDisk(face, await folder.open("disk.hds", { readOnly: true }), { readOnly: true });
        same(await readRange(disk, 5000, 6000), patternBytes(5, 6000));
        await disk.close();
      }
    },
  },
];

const refusing: FolderCase = {
  title: "in which nothing can be changed says so, and refuses",
  writes: false,
  async run(kit) {
    const folder = await kit.make(FILES);
    equal(folder.readOnly, true);
    await fails("READ_ONLY", () => folder.create("new"));
    await fails("READ_ONLY", () => folder.rename("a.hds", "c"));
    await fails("READ_ONLY", () => folder.remove("a.hds"));
    await folder.sync();
    const storage = await folder.open("a.hds");
    equal(storage.readOnly, true);
    await throws(() => storage.write(new Uint8Array(1), 0));
    await storage.close();
    same(await contentOf(folder, "a.hds"), A);
  },
};

const writing: FolderCase[] = [
  {
    title: "makes files, and finds them again with what was written to them",
    writes: true,
    async run(kit) {
      const folder = await kit.make(FILES);
      equal(folder.readOnly ?? false, false);
      const made = await folder.create("new");
      equal(await made.size(), 0);
      await writeWhole(made, A);
      await made.flush();
      await made.close();
      await folder.sync();
      const changed = await folder.open("b {c}%2e#?.hds");
      await writeWhole(changed, A.subarray(0, 100));
      await changed.close();
      await fails("EXISTS", () => folder.create("new"));
      await fails("EXISTS", () => folder.create("a.hds"));
      const again = await kit.reopen();
      sameNames(await again.list(), [...Object.keys(FILES), "new"]);
      same(await contentOf(again, "new"), A);
      same(await contentOf(again, "b {c}%2e#?.hds"), joined(A.subarray(0, 100), B.subarray(100)));
    },
  },
  {
    title: "gives a file another name, over whatever has it",
    writes: true,
    async run(kit) {
      const folder = await kit.make(FILES);
      await folder.rename("a.hds", "c");
      await folder.rename("c", "b {c}%2e#?.hds");
      await folder.rename("empty", "empty");
      await folder.sync();
      for (const seen of [folder, await kit.reopen()]) {
        sameNames(await seen.list(), ["b {c}%2e#?.hds", "empty"]);
        same(await contentOf(seen, "b {c}%2e#?.hds"), A);
        same(await contentOf(seen, "empty"), new Uint8Array());
      }
      await fails("NOT_FOUND", () => folder.rename("a.hds", "c"));
      await fails("NOT_FOUND", () => folder.rename("a.hds", "empty"));
      await fails("NOT_FOUND", () => folder.rename("a.hds", "a.hds"));
      sameNames(await folder.list(), ["b {c}%2e#?.hds", "empty"]);
    },
  },
  {
    title: "removes files; one of the same name is another one then",
    writes: true,
    async run(kit) {
      const folder = await kit.make(FILES);
      await folder.remove("a.hds");
      await folder.remove("empty");
      await fails("NOT_FOUND", () => folder.remove("a.hds"));
      await fails("NOT_FOUND", () => folder.open("a.hds"));
      sameNames(await (await kit.reopen()).list(), ["b {c}%2e#?.hds"]);
      const made = await folder.create("a.hds");
      equal(await made.size(), 0);
      await made.close();
    },
  },
  {
    title: "has nothing to do with the folders in it",
    writes: true,
    async run(kit) {
      if (kit.flat) return;
      const folder = await kit.make(FILES);
      await throws(() => folder.open("within"));
      await throws(() => folder.create("within"));
      await throws(() => folder.remove("within"));
      await throws(() => folder.rename("a.hds", "within"));
      sameNames(await (await kit.reopen()).list(), Object.keys(FILES));
    },
  },
  {
    title: "gives a file to one who writes, or to those who read",
    writes: true,
    async run(kit) {
      const folder = await kit.make(FILES);
      const writer = await folder.open("a.hds");
      await fails("IN_USE", () => folder.open("a.hds"));
      await fails("IN_USE", () => folder.open("a.hds", { readOnly: true }));
      const sharing = await folder.open("a.hds", { readOnly: true, share: true });
      same(await readWhole(sharing), A);
      await sharing.close();
      await writer.close();
      const reader = await folder.open("a.hds", { readOnly: true });
      await fails("IN_USE", () => folder.open("a.hds"));
      await reader.close();
      const made = await folder.create("new");
      await fails("IN_USE", () => folder.open("new"));
      await made.close();
      for (const name of ["a.hds", "new"]) await (await folder.open(name)).close();
    },
  },
  {
    title: "takes no name away from a file that is open, nor gives it to another",
    writes: true,
    async run(kit) {
      const folder = await kit.make(FILES);
      for (const readOnly of [false, true]) {
        const user = await folder.open("a.hds", { readOnly });
        await fails("IN_USE", () => folder.remove("a.hds"));
        await fails("IN_USE", () => folder.rename("a.hds", "c"));
        await fails("IN_USE", () => folder.rename("empty", "a.hds"));
        same(await readWhole(user), A);
        await user.close();
      }
      sameNames(await folder.list(), Object.keys(FILES));
      await folder.rename("empty", "a.hds");
      await folder.remove("a.hds");
    },
  },
  {
    title: "carries disks, whose files are renamed when they are closed",
    writes: true,
    async run(kit) {
      for (const face of kit.faces) {
        const folder = await kit.make({ "disk.hds": B });
        const disk = await createDisk(face, await folder.create("draft"), { size: 200 * 512, clusterSize: 4096 });
        await disk.write(patternBytes(3, 5000), 1000);
        await disk.flush();
        await disk.discard(2000, 4096);
        await disk.close();
        await folder.rename("draft", "disk.hds");
        await folder.sync();
        const again = await openDisk(face, await (await kit.reopen()).open("disk.hds"));
        same(await readRange(again, 1000, 1000), patternBytes(3, 5000).subarray(0, 1000));
        same(await readRange(again, 2000, 4000), new Uint8Array(4000));
        equal((await again.check()).findings.length, 0);
        await again.close();
      }
    },
  },
];

export const folderCases: readonly FolderCase[] = [...reading, ...writing];
export const readOnlyFolderCases: readonly FolderCase[] = [...reading, refusing];

/** What is for a kit. */
export const casesOf = ({ readOnly }: FolderKit): readonly FolderCase[] =>
  readOnly ? readOnlyFolderCases : folderCases;

/** A kit whose folder is looked at while it is used: what answers at once must not answer later. */
export function answeringAtOnce(kit: FolderKit): FolderKit {
  const watched = (folder: Folder | Promise<Folder>): Folder => {
    if (isThenable(folder)) throw new Error("expected a folder at once");
    return new Proxy(folder as Folder, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          const answer: unknown = member.apply(target, given);
          ok(!isThenable(answer), `${String(name)} answered with a promise`);
          return answer;
        };
      },
    });
  };
  return { ...kit, make: (files) => watched(kit.make(files)), reopen: () => watched(kit.reopen()) };
}

async function imageBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const memory = new MemoryStorage();
  const disk = await createDisk("sync", memory, { size: 100 * 512, clusterSize: 4096 });
  await disk.write(patternBytes(5, 6000), 5000);
  await disk.close();
  return memory.toUint8Array();
}

async function contentOf(folder: Folder, name: string): Promise<Uint8Array> {
  const storage = await folder.open(name, { readOnly: true });
  const bytes = await readWhole(storage);
  await storage.close();
  return bytes;
}

async function readWhole(storage: Storage): Promise<Uint8Array> {
  const bytes = new Uint8Array(await storage.size());
  for (let done = 0; done < bytes.length; ) {
    const moved = await storage.read(bytes.subarray(done), done);
    ok(moved > 0, `the file ended after ${done}`);
    done += moved;
  }
  return bytes;
}

async function writeWhole(storage: Storage, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += await storage.write(bytes.subarray(done), done);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function sameNames(got: readonly string[], expected: readonly string[]): void {
  equal([...got].sort().join(" | "), [...expected].sort().join(" | "));
}

async function fails(code: string, request: () => unknown): Promise<void> {
  const error = await thrownBy(request);
  if (!(error instanceof DiskError)) throw error;
  ok(error.code === code, `got ${error.code} (${error.message}), expected ${code}`);
}

async function mistake(kind: new () => Error, request: () => unknown): Promise<void> {
  const error = await thrownBy(request);
  ok(error instanceof kind, `got ${error}, expected a ${kind.name}`);
}
