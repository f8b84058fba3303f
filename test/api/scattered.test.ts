/** A change that finds free space in very many pieces is one change all the same. */
import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { openDisk, readRange } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { patternBytes } from "../support/random.js";

const CLUSTER = 512;
/** More than a call may have arguments. */
const COUNT = 150_000;

describe("Free space in as many pieces as clusters", () => {
  test("takes one write, which is in the file after close", async () => {
    // Every second host cluster is in use, and the guest's second half is to come.
    const hosts = Array.from({ length: 2 * COUNT }, (_, cluster) => (cluster < COUNT ? 2 * cluster : -1));
    const storage = new MemoryStorage(makeImage({ format: "v2", tracks: 1, hosts, hostCount: 2 * COUNT }));
    const bytes = patternBytes(5, COUNT * CLUSTER);
    const disk = await openDisk("sync", storage);
    await disk.write(bytes, COUNT * CLUSTER);
    expect(disk.allocatedBytes).toBe(2 * COUNT * CLUSTER);
    await disk.close();
    const again = await openDisk("sync", new MemoryStorage(storage.toUint8Array()), { readOnly: true });
    expect(Buffer.compare(await readRange(again, COUNT * CLUSTER), bytes)).toBe(0);
  });
});
