/** Runs in a worker: the storages of browsers as kits for the contract suite, and the suite's cases by number. */
import type { EngineKind } from "../../src/engine/engine.js";
import { HttpStorage } from "../../src/storage/http.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { OpfsStorage } from "../../src/storage/opfs.js";
import { diskCases, type StorageKit, storageCases } from "../storage/contract.js";
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

export const kits: readonly StorageKit[] = [memoryKit(), opfsKit(false), opfsKit(true), httpKit(), ...neutralKits];

const kitNamed = (name: string) => kits.find((kit) => kit.name === name)!;

const contractSuite = {
  runStorageCase: (kit: string, index: number) => storageCases[index]!.run(kitNamed(kit)),
  runDiskCase: (kit: string, index: number, face: FaceKind, engine: EngineKind) =>
    diskCases[index]!.run(kitNamed(kit), face, engine),
};

declare global {
  var suite: typeof contractSuite;
}

globalThis.suite = contractSuite;
