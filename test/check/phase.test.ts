/** The phase of v1 images whose header does not say where the data begins. */
import { describe, expect, it } from "vitest";
import { encodeHeader } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { withExtension } from "../support/extension.js";
import { fewCombinations, openDisk, readRange } from "../support/faces.js";
import { setField } from "../support/image.js";
import { cases, describeWith, readCase } from "../support/peers.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { sampled, thorough } from "../support/runs.js";

const TRACKS = 7;
const CLUSTER_SIZE = TRACKS * 512;
const CLUSTERS = 5;
/** The sector behind the BAT. */
const DERIVED = 1;

/** An image of 5 clusters and 60 sectors, all different, with these entries, and an extension with a bitmap. */
function make(entries: readonly number[], extension?: { sector: number; bitmap: number }): Uint8Array<ArrayBuffer> {
  const file = patternBytes(1, 60 * 512);
  const sizes = { heads: 16, cylinders: 1, tracks: TRACKS, batEntries: CLUSTERS, sectorCount: CLUSTERS * TRACKS };
  const rest = { inUse: 0, dataOffset: 0, flags: 0, extensionOffset: 0 };
  file.fill(0, 0, 512);
  file.set(encodeHeader({ format: "v1", ...sizes, ...rest }));
  for (const [cluster, entry] of entries.entries()) setField(file, 64 + 4 * cluster, entry);
  return extension ? withExtension(file, [{}], { sectors: [extension.sector, extension.bitmap] }) : file;
}

describe.each(fewCombinations)(
  "A v1 image with a data offset of 0 ($face face, $engine engine)",
  ({ face, engine }) => {
    const kindsOf = async (file: Uint8Array): Promise<string[]> => {
      const disk = await openDisk(face, new MemoryStorage(file), { engine, readOnly: true });
      const { findings } = await disk.check();
      await disk.close();
      return findings.filter(({ severity }) => severity === "corruption").map(({ kind, count }) => `${count} ${kind}`);
    };

    it.each<[string, readonly number[], string[]]>([
      ["all in one phase", [4, 18, 11], []],
      ["the first off the phase of the others", [5, 18, 11], ["1 offGrid"]],
      ["the first below the others, and off their phase", [1, 23, 16], ["1 offGrid"]],
      ["as many in one phase as in another", [45, 2], ["1 offGrid"]],
      ["all in phases of their own", [2, 10, 18, 26, 41], ["4 offGrid"]],
      ["only such that lead nowhere", [0xffff, 1 << 30], ["2 outside"]],
    ])("reads every entry that leads to a whole cluster: %s", async (_, entries, expected) => {
      const file = make(entries);
      expect(await kindsOf(file)).toEqual(expected);
      const disk = await openDisk(face, new MemoryStorage(file), { engine, readOnly: true });
      const inside = entries.map((entry) => entry * 512 + CLUSTER_SIZE <= file.length);
      for (const [cluster, entry] of entries.entries()) {
        const read = async () => readRange(disk, cluster * CLUSTER_SIZE, CLUSTER_SIZE);
        if (!inside[cluster]) await expect(read()).rejects.toMatchObject({ code: "BAD_ENTRY" });
        else expect(firstDifference(await read(), file.subarray(entry * 512, entry * 512 + CLUSTER_SIZE))).toBe(-1);
      }
      await disk.close();
      const storage = new MemoryStorage(file);
      const mended = await openDisk(face, storage, { engine, repair: "all" });
      for (const [cluster, entry] of entries.entries()) {
        const expectedBytes = inside[cluster]
          ? file.subarray(entry * 512, entry * 512 + CLUSTER_SIZE)
          : new Uint8Array(CLUSTER_SIZE);
        const found = await readRange(mended, cluster * CLUSTER_SIZE, CLUSTER_SIZE);
        expect(firstDifference(found, expectedBytes)).toBe(-1);
      }
      await mended.close();
      expect(await kindsOf(storage.toUint8Array())).toEqual([]);
    });

    it("keeps its extension where that has more clusters than the BAT, and moves the entry", async () => {
      const file = make([0, 9], { sector: 12, bitmap: 26 });
      expect(await kindsOf(file)).toEqual(["1 offGrid"]);
      const storage = new MemoryStorage(file);
      const disk = await openDisk(face, storage, { engine, repair: "all" });
      expect(disk.info.extension).toEqual({ present: true, offset: 12 * 512 });
      const found = await readRange(disk, CLUSTER_SIZE, CLUSTER_SIZE);
      expect(firstDifference(found, file.subarray(9 * 512, 9 * 512 + CLUSTER_SIZE))).toBe(-1);
      await disk.close();
      expect(await kindsOf(storage.toUint8Array())).toEqual([]);
    });

    it("stays sound whatever is written and discarded, session after session", async () => {
      const random = randomFrom(7);
      for (let round = 0; round < (thorough ? 12 : 4); round++) {
        const phase = DERIVED + below(random, TRACKS);
        const extended = random() < 0.5;
        const file = make(
          [phase + 2 * TRACKS, 0, phase],
          extended ? { sector: phase + TRACKS, bitmap: phase + 4 * TRACKS } : undefined,
        );
        const storage = { bytes: file };
        for (let session = 0; session < 4; session++) {
          const memory = new MemoryStorage(storage.bytes);
          const disk = await openDisk(face, memory, { engine });
          for (let step = 0; step < 4; step++) {
            const cluster = below(random, CLUSTERS);
            if (random() < 0.3) await disk.discard(0, disk.size);
            else await disk.write(patternBytes(step, CLUSTER_SIZE), cluster * CLUSTER_SIZE);
          }
          if (random() < 0.7) await disk.discard(0, disk.size);
          if (random() < 0.3) await disk.flush();
          if (random() < 0.3) await disk.abandon();
          else await disk.close();
          storage.bytes = memory.toUint8Array();
          const found = (await kindsOf(storage.bytes)).filter((kind) => kind !== "1 unclean");
          expect(found).toEqual([]);
        }
      }
    });
  },
);

describeWith([cases], "The cases", () => {
  it.each(fewCombinations)(
    "phase-below-first: both entries are read, and kept ($face, $engine)",
    async (combination) => {
      const { face, engine } = combination;
      const file = readCase("phase-below-first.hds.gz");
      const size = 63 * 512;
      const expected = [175, 32].map((sector) => file.subarray(sector * 512, sector * 512 + size));
      const looked = await openDisk(face, new MemoryStorage(file), { engine, readOnly: true });
      const mended = await openDisk(face, new MemoryStorage(file), { engine, repair: "all" });
      for (const disk of [looked, mended]) {
        expect(firstDifference(await readRange(disk, 0, size), expected[0])).toBe(-1);
        const rest = disk.size - size;
        expect(firstDifference(await readRange(disk, size, rest), expected[1].subarray(0, rest))).toBe(-1);
      }
      expect(mended.repaired!.after.corruptions).toBe(0);
      await mended.close();
    },
  );

  it.each(fewCombinations)(
    "phase-and-extension: sound after everything was discarded ($face, $engine)",
    async (both) => {
      const { face, engine } = both;
      const memory = new MemoryStorage(readCase("phase-and-extension.hds.gz"));
      const disk = await openDisk(face, memory, { engine });
      await disk.discard(0, disk.size);
      await disk.close();
      const again = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { engine });
      expect((await again.check()).findings).toEqual([]);
      expect(again.info.extension.present).toBe(true);
      await again.close();
    },
  );

  it.each(sampled(fewCombinations, 2))(
    "repair-multiplies: a repair makes it no longer ($face, $engine)",
    async ({ face, engine }) => {
      const file = readCase("repair-multiplies.hds.gz");
      const memory = new MemoryStorage(file);
      const disk = await openDisk(face, memory, { engine, repair: "all" });
      expect(disk.repaired!.after.corruptions).toBe(0);
      expect(await readRange(disk)).toEqual(new Uint8Array(disk.size));
      await disk.close();
      const bytes = memory.toUint8Array();
      expect(bytes.length).toBe(file.length);
      expect(firstDifference(bytes.subarray(1024), file.subarray(1024))).toBe(-1);
    },
  );
});
