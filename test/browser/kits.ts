/** Runs in a worker: the storages of browsers as kits for the contract suite, and the suite's cases by number. */
import type { EngineKind } from "../../src/engine/engine.js";
import { HandleFolder } from "../../src/storage/handle-folder.js";
import { HttpStorage } from "../../src/storage/http.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import { OpfsFolder } from "../../src/storage/opfs-folder.js";
import { diskCases, type StorageKit, storageCases } from "../storage/contract.js";
import { casesOf, type Files, type FolderKit } from "../storage/folder-contract.js";
import { neutralFolderKits } from "../storage/folder-kits.js";
import { neutralKits } from "../storage/kits.js";
import type { FaceKind } from "../support/faces.js";

function memoryKit(): StorageKit {
  let memory: MemoryStorage;
  const open = (content: Uint8Array) => {
    memory = new MemoryStorage(content);
    return memory;
  };
  return { name: "MemoryStorage", faces: ["async", "sync"], make: open, reopen: () => open(memory.toUint8Array()) };
}

/** What lies in the file is written by the storage itself: nobody else may write while it is open. */
function opfsKit(readOnly: boolean): StorageKit {
  const name = readOnly ? "read-only OpfsStorage" : "OpfsStorage";
  const reopen = () => OpfsStorage.open(`contract/${name}`, { readOnly });
  const make: StorageKit["make"] = async (content) => {
    const storage = await OpfsStorage.open(`contract/${name}`, { create: "replace" });
    storage.write(content, 0);
    if (!readOnly) return storage;
    storage.close();
    return reopen();
  };
  return { name, faces: ["async", "sync"], readOnly, make, reopen };
}

/** By the browser's own fetch, from the site. */
function httpKit(): StorageKit {
  const open = () => HttpStorage.open(new URL("/contract.hds", location.origin).href);
  const make: StorageKit["make"] = async (content) => {
    await fetch("/contract.hds", { method: "PUT", body: new Uint8Array(content) });
    return open();
  };
  return { name: "HttpStorage by the browser's fetch", faces: ["async"], readOnly: true, make, reopen: open };
}

/** By streams, as files are written that a user has picked. */
function handleKit(): StorageKit {
  let folder: HandleFolder;
  const reopen = async () => folder.open("disk.hds");
  const make: StorageKit["make"] = async (content) => {
    folder = new HandleFolder(await filled("handles", { "disk.hds": new Uint8Array(content) }));
    return reopen();
  };
  return { name: "a file of a HandleFolder", faces: ["async"], slow: true, make, reopen };
}

export const kits: readonly StorageKit[] = [
  memoryKit(),
  opfsKit(false),
  opfsKit(true),
  handleKit(),
  httpKit(),
  ...neutralKits,
];

const kitNamed = (name: string) => kits.find((kit) => kit.name === name)!;

/** An empty folder of OPFS with these files and a folder in it. */
async function filled(name: string, files: Files): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(name, { recursive: true }).catch(() => {});
  const directory = await root.getDirectoryHandle(name, { create: true });
  await directory.getDirectoryHandle("within", { create: true });
  for (const [file, content] of Object.entries(files)) {
    const stream = await (await directory.getFileHandle(file, { create: true })).createWritable();
    await stream.write(content);
    await stream.close();
  }
  return directory;
}

function folderKit(
  kit: Omit<FolderKit, "make" | "reopen">,
  open: (directory: FileSystemDirectoryHandle) => ReturnType<FolderKit["make"]>,
): FolderKit {
  let directory: FileSystemDirectoryHandle;
  const make = async (files: Files) => {
    directory = await filled(kit.name, files);
    return open(directory);
  };
  return { ...kit, make, reopen: () => open(directory) };
}

const ASYNC = { faces: ["async"] } as const;
const READ_ONLY = { readOnly: true } as const;
const OPFS = { faces: ["async", "sync"], exclusive: globalThis.navigator?.userAgent.includes("Firefox") } as const;

export const folderKits: readonly FolderKit[] = [
  folderKit({ name: "OpfsFolder", ...OPFS }, ({ name }) => OpfsFolder.open(name)),
  folderKit({ name: "read-only OpfsFolder", ...OPFS, ...READ_ONLY }, (directory) =>
    OpfsFolder.open(directory, READ_ONLY),
  ),
  folderKit({ name: "HandleFolder", ...ASYNC }, (directory) => new HandleFolder(directory)),
  folderKit({ name: "HandleFolder without move", ...ASYNC }, (directory) => new HandleFolder(withoutMove(directory))),
  folderKit(
    { name: "read-only HandleFolder", ...ASYNC, ...READ_ONLY },
    (directory) => new HandleFolder(directory, READ_ONLY),
  ),
  ...neutralFolderKits,
];

/** As in a browser that moves no files. */
function withoutMove(directory: FileSystemDirectoryHandle): FileSystemDirectoryHandle {
  return new Proxy(directory, {
    get(target, name) {
      if (name !== "getFileHandle") {
        const member = Reflect.get(target, name) as unknown;
        return typeof member === "function" ? member.bind(target) : member;
      }
      return async (...given: Parameters<FileSystemDirectoryHandle["getFileHandle"]>) =>
        Object.defineProperty(await target.getFileHandle(...given), "move", { value: undefined });
    },
  });
}

const folderKitNamed = (name: string) => folderKits.find((kit) => kit.name === name)!;

const contractSuite = {
  runFolderCase: (kit: string, index: number) => casesOf(folderKitNamed(kit))[index].run(folderKitNamed(kit)),
  runStorageCase: (kit: string, index: number) => storageCases[index].run(kitNamed(kit)),
  runDiskCase: (kit: string, index: number, face: FaceKind, engine: EngineKind) =>
    diskCases[index].run(kitNamed(kit), face, engine),
};

declare global {
  var suite: typeof contractSuite;
}

globalThis.suite = contractSuite;
