/** What a repair leaves alone, how far it lets a file grow, and what brings back what it took away. */
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { FIELD, fieldOf, hostBytes, makeImage, setEntry, setField } from "../support/image.js";
import { patternBytes } from "../support/random.js";
import { entryOf, type Sample, sample, setEntry as setSampleEntry } from "./damage.js";

const CLUSTER_SIZE = 4096;

/** Counts what is written, and what is asked for blocks. */
class CountingStorage extends MemoryStorage {
  written = 0;
  allocated = 0;

  override write(buffer: Uint8Array, offset: number): number {
    this.written += buffer.length;
    return super.write(buffer, offset);
  }

  allocate(offset: number, length: number): void {
    this.allocated += length;
    this.truncate(Math.max(this.size(), offset + length));
  }
}

/** An image one of whose entries leads nowhere: what it had meant is referred to by nothing. */
function withLostEntry(format: "v1" | "v2"): Sample & { lost: { from: number; to: number } } {
  const image = sample(format, CLUSTER_SIZE);
  const from = entryOf(image, 4) * (format === "v1" ? 512 : CLUSTER_SIZE);
  setSampleEntry(image, 4, 0x7fffff);
  return { ...image, lost: { from, to: from + CLUSTER_SIZE } };
}

const cases = combinations.flatMap((both) => (["v1", "v2"] as const).map((format) => ({ ...both, format })));

describe.each(cases)("A repair ($format, $face face, $engine engine)", ({ format, face, engine }) => {
  it("frees nothing that a dropped entry may have meant, whatever is written on; a second one does", async () => {
    const image = withLostEntry(format);
    const { from, to } = image.lost;
    const kept = (bytes: Uint8Array) =>
      firstDifference(bytes.subarray(from, to), image.bytes.subarray(from, to)) === -1;
    const storage = new MemoryStorage(image.bytes);
    const disk = await openDisk(face, storage, { engine, repair: "all" });
    expect(disk.repaired!.after).toMatchObject({ corruptions: 0, leaks: 1 });
    for (const cluster of [2, 6, 4]) await disk.write(patternBytes(cluster, CLUSTER_SIZE), cluster * CLUSTER_SIZE);
    await disk.discard(0, 2 * CLUSTER_SIZE);
    expect((await disk.repair("leaks")).after.leaks).toBe(1); // the disk that was repaired is not the second step
    await disk.close();
    expect(kept(storage.toUint8Array())).toBe(true);

    const second = new MemoryStorage(storage.toUint8Array());
    const freed = await openDisk(face, second, { engine, repair: "leaks" });
    expect(freed.repaired).toMatchObject({ before: { corruptions: 0, leaks: 1 }, after: { findings: [] } });
    expect(firstDifference(await readRange(freed, 4 * CLUSTER_SIZE, CLUSTER_SIZE), patternBytes(4, CLUSTER_SIZE))).toBe(
      -1,
    );
    await freed.close();
    expect(kept(second.toUint8Array())).toBe(false);
  });

  it("does not cut off what lies at the end of the file", async () => {
    const image = sample(format, CLUSTER_SIZE);
    setSampleEntry(image, 11, 0x7fffff); // the last cluster of the file
    const storage = new MemoryStorage(image.bytes);
    const disk = await openDisk(face, storage, { engine, repair: "all" });
    expect(disk.repaired!.after.findings).toMatchObject([{ kind: "leakedTail", severity: "leak", count: 1 }]);
    await disk.close();
    const start = CLUSTER_SIZE; // behind header and BAT
    expect(firstDifference(storage.toUint8Array().subarray(start), image.bytes.subarray(start))).toBe(-1);
  });

  it("is undone after the disk was written on: what was taken meanwhile stays", async () => {
    const image = withLostEntry(format);
    setSampleEntry(image, 7, 0x7ffffe);
    const storage = new MemoryStorage(image.bytes);
    const disk = await openDisk(face, storage, { engine, repair: "all" });
    const backup = disk.repaired!.backup as Uint8Array;
    await disk.write(patternBytes(77, CLUSTER_SIZE), 7 * CLUSTER_SIZE);
    await disk.close();
    const undone = new MemoryStorage(storage.toUint8Array());
    expect(await Disk.undoRepair(undone, backup)).toBe(1);
    const looked = await openDisk(face, new MemoryStorage(undone.toUint8Array()), { engine, readOnly: true });
    const outside = (await looked.check()).findings.find(({ kind }) => kind === "outside");
    expect(outside).toMatchObject({ count: 1, clusters: [4] });
    expect(
      firstDifference(await readRange(looked, 7 * CLUSTER_SIZE, CLUSTER_SIZE), patternBytes(77, CLUSTER_SIZE)),
    ).toBe(-1);
    const { from, to } = image.lost;
    expect(firstDifference(undone.toUint8Array().subarray(from, to), image.bytes.subarray(from, to))).toBe(-1);
  });

  it("is not undone where the file has grown into what an entry led to: that is another's by now", async () => {
    for (const beyond of format === "v1" ? [0, 1, 7] : [0]) {
      const image = sample(format, CLUSTER_SIZE);
      const end = image.bytes.length / (format === "v1" ? 512 : CLUSTER_SIZE);
      setSampleEntry(image, 4, end + beyond);
      const storage = new MemoryStorage(image.bytes);
      const disk = await openDisk(face, storage, { engine, repair: "all" });
      const backup = disk.repaired!.backup as Uint8Array;
      await disk.write(patternBytes(2, CLUSTER_SIZE), 2 * CLUSTER_SIZE);
      await disk.close();
      const undone = new MemoryStorage(storage.toUint8Array());
      expect(await Disk.undoRepair(undone, backup)).toBe(0);
      const looked = await openDisk(face, new MemoryStorage(undone.toUint8Array()), { engine, readOnly: true });
      expect((await readRange(looked, 4 * CLUSTER_SIZE, CLUSTER_SIZE)).every((byte) => byte === 0)).toBe(true);
    }
  });

  it("drops what is wrong behind the disk's end, as nobody can read it", async () => {
    const image = sample(format, CLUSTER_SIZE);
    for (const cluster of [9, 10, 11]) setSampleEntry(image, cluster, entryOf(image, 0));
    setField(image.bytes, FIELD.sectorCountLow, (9 * CLUSTER_SIZE) / 512);
    const storage = new MemoryStorage(image.bytes);
    const disk = await openDisk(face, storage, { engine, repair: "all" });
    expect(disk.repaired!.backup).toBeDefined();
    expect(firstDifference(await readRange(disk), image.content.subarray(0, 9 * CLUSTER_SIZE))).toBe(-1);
    await disk.close();
    expect(storage.toUint8Array().length).toBe(image.bytes.length);
  });

  it("makes holes of zeros: in copies, and in a cluster that the file's end cuts", async () => {
    const size = 4 << 20;
    const file = makeImage({ format, tracks: size / 512, hosts: [1, 0, -1], hostCount: 2 });
    const start = fieldOf(file, FIELD.dataOffset) * 512;
    file.fill(0, start + 100_000, start + size); // host 0: some data, then zeros
    setEntry(file, 2, fieldOf(file, 68));
    const cut = file.subarray(0, start + size + 70_000);
    const storage = new CountingStorage(cut);
    const disk = await openDisk(face, storage, { engine, repair: "all" });
    expect(disk.repaired!.after.corruptions).toBe(0);
    expect(storage.size()).toBe(start + 3 * size);
    expect([storage.written < 200_000, storage.allocated]).toEqual([true, 0]);
    for (const cluster of [1, 2])
      expect(
        firstDifference(await readRange(disk, cluster * size, 100_000), file.subarray(start, start + 100_000)),
      ).toBe(-1);
    const first = await readRange(disk, 0, size);
    expect(firstDifference(first.subarray(0, 70_000), hostBytes(1, size / 512).subarray(0, 70_000))).toBe(-1);
    expect(first.subarray(70_000).every((byte) => byte === 0)).toBe(true);
    await disk.close();
  });

  it("is refused where it would multiply the file, and changes nothing then", async () => {
    const tracks = 2048;
    const file = makeImage({
      format,
      tracks,
      hosts: Array.from({ length: 200 }, (_, guest) => (guest === 0 ? 0 : -1)),
    });
    for (let guest = 1; guest < 200; guest++) setEntry(file, guest, fieldOf(file, 64));
    const storage = new CountingStorage(file);
    const opening = (async () => openDisk(face, storage, { engine, repair: "all" }))();
    await expect(opening).rejects.toMatchObject({
      code: "TOO_LARGE",
      message: expect.stringMatching(/^the image was not repaired: .* readOnly: true/),
      details: { got: file.length + 199 * tracks * 512 },
    });
    expect(storage.written).toBe(0);
    expect(storage.toUint8Array().length).toBe(file.length);
  });

  it("is refused where a cluster is far larger than what a guest can see of it, and changes nothing then", async () => {
    const file = makeImage({ format, tracks: 1, hosts: [0, 1] });
    setField(file, FIELD.tracks, 1 << 19); // 256 MiB, of which the disk has 1024 bytes
    if (format === "v2") setField(file, FIELD.dataOffset, 0);
    const storage = new CountingStorage(file);
    const opening = (async () => openDisk(face, storage, { engine, repair: "all" }))();
    await expect(opening).rejects.toMatchObject({ code: "TOO_LARGE" });
    expect([storage.written, storage.toUint8Array().length]).toEqual([0, file.length]);
  });

  it("that has no room for a longer BAT changes nothing", async () => {
    const image = withLostEntry(format);
    setField(image.bytes, FIELD.sectorCountLow, 5000 * (CLUSTER_SIZE / 512));
    const storage = new CountingStorage(image.bytes);
    const opening = (async () => openDisk(face, storage, { engine, repair: "all" }))();
    await expect(opening).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("no room for a longer BAT"),
      details: { findings: [{ kind: "batTooSmall" }] },
    });
    expect(storage.written).toBe(0);
  });

  it("saves what lies where the BAT becomes longer, and an undo makes entries of it", async () => {
    const image = sample(format, CLUSTER_SIZE);
    setField(image.bytes, FIELD.batEntries, 6); // the other half of the right BAT lies behind it
    const storage = new MemoryStorage(image.bytes);
    const disk = await openDisk(face, storage, { engine, repair: "all" });
    const backup = disk.repaired!.backup as Uint8Array;
    expect(backup).toEqual(image.bytes.subarray(0, 64 + 4 * 12));
    expect((await readRange(disk, 6 * CLUSTER_SIZE)).every((byte) => byte === 0)).toBe(true);
    await disk.close();
    const undone = new MemoryStorage(storage.toUint8Array());
    expect(await Disk.undoRepair(undone, backup)).toBe(2);
    const looked = await openDisk(face, new MemoryStorage(undone.toUint8Array()), { engine, readOnly: true });
    expect(firstDifference(await readRange(looked), image.content)).toBe(-1);
  });
});

describe.each(combinations)("Leaks ($face face, $engine engine)", ({ face, engine }) => {
  it("are not what an open disk grew by itself after its leaks were freed", async () => {
    const image = sample("v2", CLUSTER_SIZE);
    const longer = new Uint8Array(image.bytes.length + 3 * CLUSTER_SIZE).fill(1);
    longer.set(image.bytes);
    const disk = await openDisk(face, new MemoryStorage(longer), { engine });
    expect((await disk.repair("leaks")).before.leaks).toBe(3);
    for (const cluster of [2, 6, 7]) await disk.write(patternBytes(1, CLUSTER_SIZE), cluster * CLUSTER_SIZE);
    for (const cluster of [2, 6, 7]) await disk.discard(cluster * CLUSTER_SIZE, CLUSTER_SIZE);
    await disk.flush();
    expect((await disk.check()).findings).toEqual([]);
    await disk.close();
  });
});
