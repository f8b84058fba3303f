/** Fragments are counted in the BAT as it is when somebody asks, not as it was at opening. */
import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../../src/storage/memory.js";
import { combinations, createDisk, openDisk } from "../support/faces.js";

const CLUSTER = 4096;
const COUNT = 256;

describe.each(combinations)("Fragments of an open disk ($face, $engine)", ({ face, engine }) => {
  it("are those of now: after writes, discards, and opening again", async () => {
    const storage = new MemoryStorage();
    const disk = await createDisk(face, storage, { size: COUNT * CLUSTER, clusterSize: CLUSTER, engine });
    const fragments = async () => [(await disk.check()).fragmentedClusters, disk.info.fragmentedClusters];
    expect(await fragments()).toEqual([0, 0]);
    const data = new Uint8Array(CLUSTER).fill(1);
    for (let cluster = COUNT - 1; cluster >= 0; cluster--) await disk.write(data, cluster * CLUSTER);
    expect(await fragments()).toEqual([COUNT - 1, COUNT - 1]);
    // Every second cluster goes: no neighbours are left.
    for (let cluster = 0; cluster < COUNT; cluster += 2) await disk.discard(cluster * CLUSTER, CLUSTER);
    expect(await fragments()).toEqual([0, 0]);
    await disk.write(data, 0);
    const before = await fragments();
    await disk.close();
    const again = await openDisk(face, new MemoryStorage(storage.toUint8Array()), { engine, readOnly: true });
    expect([(await again.check()).fragmentedClusters, again.info.fragmentedClusters]).toEqual(before);
    expect(before).toEqual([1, 1]);
    await again.close();
  });
});
