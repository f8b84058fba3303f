import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskError } from "../../src/errors.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { patternBytes } from "../support/random.js";
import { entryOf, expectZeros, sample, setEntry, setField } from "./damage.js";
import { cases } from "./damages.js";

describe.each(combinations)("repair, $face face, $engine engine", ({ face, engine }) => {
  const SIZES = [4096, 63 * 512];

  test.each(cases)(
    "finds and mends $name ($format)",
    async ({ format, kind, count, severity, lossy, kept = 0, harm }) => {
      for (const clusterSize of SIZES) {
        const image = sample(format, clusterSize);
        harm(image);
        const looked = await openDisk(face, new MemoryStorage(image.bytes), { engine, readOnly: true });
        const report = await looked.check();
        await looked.close();
        expect(report.findings.find((finding) => finding.kind === kind)).toMatchObject({
          count,
          severity: severity ?? "corruption",
        });
        if (severity !== "leak") {
          const refused = openDisk(face, new MemoryStorage(image.bytes), { engine });
          await expect(refused).rejects.toMatchObject({ code: "CORRUPT" });
        }

        const storage = new MemoryStorage(image.bytes);
        const mended = await openDisk(face, storage, { engine, repair: "all" });
        expect(mended.repaired!.after).toMatchObject({ corruptions: 0, leaks: kept });
        expect(mended.repaired!.backup !== undefined).toBe(lossy === true);
        expect(firstDifference(await readRange(mended), image.content)).toBe(-1);
        await mended.close();

        const again = await openDisk(face, new MemoryStorage(storage.toUint8Array()), { engine, repair: "leaks" });
        expect(again.repaired).toMatchObject({ before: { leaks: kept }, after: { leaks: 0 } });
        expect((await again.check()).findings).toEqual([]);
        expect(firstDifference(await readRange(again), image.content)).toBe(-1);
        await again.write(patternBytes(99, clusterSize), 6 * clusterSize + 5);
        image.content.set(patternBytes(99, clusterSize), 6 * clusterSize + 5);
        expect(firstDifference(await readRange(again), image.content)).toBe(-1);
        await again.close();
      }
    },
  );

  test("frees leaks of a sound image and leaves those of a damaged one", async () => {
    const image = sample("v2", 4096);
    setEntry(image, 9, 0);
    const storage = new MemoryStorage(image.bytes);
    const disk = await openDisk(face, storage, { engine, repair: "leaks" });
    expect(disk.repaired).toMatchObject({ before: { leaks: 1 }, after: { leaks: 0 } });
    await disk.close();
    setEntry(image, 7, 0xffffff);
    const damaged = openDisk(face, new MemoryStorage(image.bytes), { engine, repair: "leaks" });
    await expect(damaged).rejects.toBeInstanceOf(DiskError);
  });

  test("reads beyond a cut file as an error before the repair, and never as zeros", async () => {
    const image = sample("v2", 4096);
    const disk = await openDisk(face, new MemoryStorage(image.bytes.slice(0, -100)), { engine, readOnly: true });
    await expect((async () => readRange(disk, 11 * 4096, 4096))()).rejects.toMatchObject({ code: "BAD_ENTRY" });
    expect(
      firstDifference(await readRange(disk, 11 * 4096, 3000), image.content.subarray(11 * 4096, 11 * 4096 + 3000)),
    ).toBe(-1);
  });

  test("lengthens a BAT that is too small for its disk where there is room", async () => {
    const image = sample("v2", 4096);
    setField(image, 32, 6);
    for (let cluster = 6; cluster < 12; cluster++) expectZeros(image, cluster);
    const disk = await openDisk(face, new MemoryStorage(image.bytes), { engine, repair: "all" });
    expect(disk.clusterCount).toBe(12);
    expect(firstDifference(await readRange(disk), image.content)).toBe(-1);
    await disk.write(patternBytes(1, 100), 10 * 4096);
    expect(firstDifference(await readRange(disk, 10 * 4096, 100), patternBytes(1, 100))).toBe(-1);
    await disk.close();
  });

  test("takes over an image that was not closed cleanly, and closes it cleanly", async () => {
    const storage = new MemoryStorage(sample("v2", 4096).bytes);
    const lost = await openDisk(face, storage, { engine });
    await lost.write(patternBytes(5, 9000), 100);
    await lost.flush();
    const crashed = new MemoryStorage(storage.toUint8Array());
    const disk = await openDisk(face, crashed, { engine });
    expect(disk.info.unclean).toBe(true);
    expect(firstDifference(await readRange(disk, 100, 9000), patternBytes(5, 9000))).toBe(-1);
    await disk.close();
    const clean = await openDisk(face, new MemoryStorage(crashed.toUint8Array()), { engine });
    expect(clean.info).toMatchObject({ unclean: false, findings: [] });
  });
});

test("undoing a repair puts back the entries that it dropped, and no others", async () => {
  const image = sample("v2", 4096);
  setEntry(image, 4, 5000);
  setEntry(image, 7, entryOf(image, 3));
  const storage = new MemoryStorage(image.bytes);
  const mended = await Disk.open(storage, { repair: "all" });
  const backup = mended.repaired!.backup as Uint8Array;
  expect(backup).toEqual(image.bytes.subarray(0, backup.length));
  await mended.close();
  const undone = new MemoryStorage(storage.toUint8Array());
  expect(await Disk.undoRepair(undone, backup)).toBe(1);
  const looked = await Disk.open(new MemoryStorage(undone.toUint8Array()), { readOnly: true });
  const report = await looked.check();
  expect(report.findings.find(({ kind }) => kind === "outside")).toMatchObject({ count: 1, clusters: [4] });
});
