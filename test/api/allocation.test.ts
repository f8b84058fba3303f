import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { CLOSED_V21, withExtension } from "../support/extension.js";
import { combinations, createDisk, openDisk, readRange } from "../support/faces.js";
import { FIELD, fieldOf, makeImage } from "../support/image.js";
import { patternBytes } from "../support/random.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { SpyStorage } from "../support/storages.js";

const TRACKS = 8;
const CLUSTER_SIZE = TRACKS * 512;
const formats: Format[] = ["v1", "v2"];
const cases = combinations.flatMap((combination) => formats.map((format) => ({ ...combination, format })));

describe.each(cases)("Room in the file ($format, $face face, $engine engine)", ({ format, face, engine }) => {
  const create = (storage: MemoryStorage, size: number) =>
    createDisk(face, storage, { size, clusterSize: CLUSTER_SIZE, format, engine });

  it("is taken in one piece by writes that follow one another", async () => {
    const disk = await create(new MemoryStorage(), 100 * CLUSTER_SIZE);
    for (let cluster = 10; cluster < 60; cluster++)
      await disk.write(patternBytes(cluster, CLUSTER_SIZE), cluster * CLUSTER_SIZE);
    const kinds = (await disk.status()).map(({ kind, length }) => [kind, length / CLUSTER_SIZE]);
    expect(kinds).toEqual([
      ["zero", 10],
      ["data", 50],
      ["zero", 40],
    ]);
    await disk.close();
  });

  it("is punched in one piece where neighbours were given up, in whatever order", async () => {
    const spy = new SpyStorage(new MemoryStorage());
    const disk = await createDisk(face, spy, { size: 50 * CLUSTER_SIZE, clusterSize: CLUSTER_SIZE, format, engine });
    await disk.write(patternBytes(1, disk.size), 0);
    await disk.flush();
    for (const cluster of [11, 30, 12, 10, 14, 31, 13]) await disk.discard(cluster * CLUSTER_SIZE, CLUSTER_SIZE);
    await disk.flush();
    expect(spy.of("punch").map(({ length }) => length / CLUSTER_SIZE)).toEqual([5, 2]);
  });

  it("is given back when the whole disk is discarded, its last cluster cut by the end included", async () => {
    const memory = new MemoryStorage();
    const disk = await create(memory, 10 * CLUSTER_SIZE - 512);
    const empty = memory.toUint8Array().length;
    await disk.write(patternBytes(1, disk.size), 0);
    expect(disk.allocatedBytes).toBe(10 * CLUSTER_SIZE);
    await disk.discard(0, disk.size);
    expect(disk.allocatedBytes).toBe(0);
    await disk.close();
    expect(memory.toUint8Array().length).toBe(empty);
  });

  it("is kept where a discard leaves anything of a cluster", async () => {
    const disk = await create(new MemoryStorage(), 10 * CLUSTER_SIZE - 512);
    await disk.write(patternBytes(1, disk.size), 0);
    await disk.discard(1, 2 * CLUSTER_SIZE);
    expect(disk.allocatedBytes).toBe(9 * CLUSTER_SIZE);
    await disk.discard(9 * CLUSTER_SIZE + 1, CLUSTER_SIZE - 513);
    expect(disk.allocatedBytes).toBe(9 * CLUSTER_SIZE);
    await disk.discard(9 * CLUSTER_SIZE, CLUSTER_SIZE - 513);
    expect(disk.allocatedBytes).toBe(9 * CLUSTER_SIZE);
    await disk.close();
  });

  it("that a discard left is used again after a flush, and not before", async () => {
    const memory = new MemoryStorage();
    const disk = await create(memory, 20 * CLUSTER_SIZE);
    await disk.write(patternBytes(1, 5 * CLUSTER_SIZE), 0);
    await disk.flush();
    const place = async (cluster: number) => {
      const [run] = await disk.status(cluster * CLUSTER_SIZE, CLUSTER_SIZE);
      return run?.kind === "data" ? run.fileOffset : undefined;
    };
    const freed = await place(2);
    await disk.discard(2 * CLUSTER_SIZE, CLUSTER_SIZE);
    await disk.write(patternBytes(2, CLUSTER_SIZE), 10 * CLUSTER_SIZE);
    expect(await place(10)).not.toBe(freed);
    await disk.flush();
    await disk.write(patternBytes(3, CLUSTER_SIZE), 15 * CLUSTER_SIZE);
    expect(await place(15)).toBe(freed);
    await disk.close();
  });

  it("of the format extension and its bitmaps is never given out nor cut away", async () => {
    const image = makeImage({ format, tracks: TRACKS, hosts: [0, -1, -1, -1], hostCount: 3 });
    const sectors = [4 * TRACKS, 3 * TRACKS]; // the bitmap's is host cluster 2
    const file = withExtension(image, [{ granularity: TRACKS, dirty: [1, 3] }], { sectors });
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine });
    expect(disk.info.extension).toEqual({ present: true, offset: 4 * CLUSTER_SIZE });
    await disk.write(patternBytes(1, 3 * CLUSTER_SIZE), CLUSTER_SIZE);
    await disk.discard(0, disk.size);
    await disk.flush();
    await disk.write(patternBytes(2, CLUSTER_SIZE), 0);
    await disk.close();
    const after = memory.toUint8Array();
    const [bitmap] = readExtension(after)!.bitmaps;
    const changed = fieldOf(after, FIELD.inUse) === CLOSED_V21 ? [0, 1, 2, 3] : [1, 3];
    expect(dirtyGranules(bitmap)).toEqual(expect.arrayContaining(changed));
    const reopened = await openDisk(face, new MemoryStorage(after), { engine });
    expect(await readRange(reopened, 0, CLUSTER_SIZE)).toEqual(patternBytes(2, CLUSTER_SIZE));
    expect(reopened.info.findings).toEqual([]);
  });
});
