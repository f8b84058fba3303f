/** The storages of this library that need nothing of Node, for the contract suite: here and in browsers. */
import { BlobStorage } from "../../src/storage/blob.js";
import { cached } from "../../src/storage/cached.js";
import { HttpStorage } from "../../src/storage/http.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { Storage } from "../../src/storage/storage.js";
import { randomFrom } from "../support/random.js";
import { rangeServer } from "../support/range-server.js";
import { ShortStorage, ShuffledStorage } from "../support/storages.js";
import type { StorageKit } from "./contract.js";

/** Blocks and a bound so small that the contract's few bytes are evicted, too. */
const SMALL = { blockSize: 4096, cacheSize: 4 * 4096, readAhead: 4096 };

export const neutralKits: StorageKit[] = [
  readOnlyKit("BlobStorage of a Blob", (content) => new BlobStorage(new Blob([content]))),
  readOnlyKit("BlobStorage of a File", (content) => new BlobStorage(new File([content], "disk.hds"))),
  readOnlyKit("HttpStorage", (content) =>
    HttpStorage.open("http://disk.test/disk.hds", { ...SMALL, fetch: rangeServer(() => content).fetch }),
  ),
  cachedKit("a cached storage", (memory) => cached(memory)),
  cachedKit("a cached storage of few blocks", (memory) => cached(memory, SMALL)),
  cachedKit("a cached storage with short transfers", (memory) =>
    cached(new ShortStorage(memory, randomFrom(3)), SMALL),
  ),
  cachedKit("a cached storage that answers in any order", (memory) =>
    cached(new ShuffledStorage(memory, randomFrom(4)), SMALL),
  ),
];

function readOnlyKit(
  name: string,
  open: (content: Uint8Array<ArrayBuffer>) => ReturnType<StorageKit["make"]>,
): StorageKit {
  let held: Uint8Array<ArrayBuffer>;
  const make: StorageKit["make"] = (content) => {
    held = new Uint8Array(content);
    return open(held);
  };
  return { name, faces: ["async"], readOnly: true, make, reopen: () => open(held) };
}

function cachedKit(name: string, wrap: (memory: MemoryStorage) => Storage): StorageKit {
  let memory: MemoryStorage;
  const make = (content: Uint8Array) => {
    memory = new MemoryStorage(content);
    return wrap(memory);
  };
  return { name, faces: ["async"], make, reopen: () => make(memory.toUint8Array()) };
}
