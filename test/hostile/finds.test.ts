/** What the fuzzer found (`npm run fuzz`), each made by hand again. */
import { describe, expect, it } from "vitest";
import { IN_USE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { withExtension } from "../support/extension.js";
import { fewCombinations, openDisk, readRange } from "../support/faces.js";
import { hostBytes, makeImage, setEntry } from "../support/image.js";

const TRACKS = 2;
const CLUSTER_SIZE = TRACKS * 512;
const SECOND = "00000000-0000-4000-8000-000000000001";

describe.each(fewCombinations)("Found by the fuzzer ($face face, $engine engine)", ({ face, engine }) => {
  const open = (storage: MemoryStorage) => openDisk(face, storage, { engine, repair: "all" });

  /** Guest clusters 0 to 3 in order, an entry that leads nowhere, and two bitmaps: their clusters are hosts 5 and 6. */
  const damaged = (inUse?: number) => {
    const image = makeImage({ format: "v1", tracks: TRACKS, hosts: [0, 1, 2, 3, -1, -1, -1, -1] });
    const file = withExtension(image, [{}, { id: SECOND }], inUse === undefined ? {} : { inUse });
    setEntry(file, 5, 0xffff);
    return file;
  };

  it("a repair does not write into the cluster of a bitmap that the file's end cuts", async () => {
    const storage = new MemoryStorage(damaged().slice(0, -89));
    const disk = await open(storage);
    expect(disk.repaired?.after.corruptions).toBe(0);
    expect(disk.bitmaps.map(({ id }) => id)).not.toContain(SECOND);
    await disk.close();
  });

  it("a repair does not mark bits in what an entry between clusters reads, before that has a copy", async () => {
    const file = damaged(IN_USE.open);
    setEntry(file, 6, 2 + 5 * TRACKS + 1); // the second half of the first bitmap's cluster, and the first half of the other's
    const at = (2 + 5 * TRACKS + 1) * 512;
    const expected = file.slice(at, at + CLUSTER_SIZE);
    const storage = new MemoryStorage(file);
    const disk = await open(storage);
    expect(firstDifference(await readRange(disk, 6 * CLUSTER_SIZE, CLUSTER_SIZE), expected)).toBe(-1);
    for (const guest of [0, 1, 2, 3])
      expect(firstDifference(await readRange(disk, guest * CLUSTER_SIZE, CLUSTER_SIZE), hostBytes(guest, TRACKS))).toBe(
        -1,
      );
    await disk.close();
    const again = await openDisk(face, new MemoryStorage(storage.toUint8Array()), { engine });
    expect(again.info.findings.filter(({ severity }) => severity === "corruption")).toEqual([]);
    expect(again.bitmaps).toHaveLength(2);
    expect(firstDifference(await readRange(again, 6 * CLUSTER_SIZE, CLUSTER_SIZE), expected)).toBe(-1);
    expect(await again.dirtyRanges(SECOND)).toContainEqual(expect.objectContaining({ offset: 0 }));
    await again.close();
  });
});
