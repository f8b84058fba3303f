/** What becomes of a format extension when its image is checked, repaired, written on and closed. */
import { describe, expect, it } from "vitest";
import { IN_USE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { NECESSARY, TRANSIT, withExtension } from "../support/extension.js";
import { fewCombinations, openDisk, readRange } from "../support/faces.js";
import { FIELD, fieldOf, makeImage } from "../support/image.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { PassingStorage } from "../support/storages.js";

const TRACKS = 8;
const CLUSTER = TRACKS * 512;
const FIRST = "11111111-2222-3333-4444-555555555555";
const SECOND = "66666666-7777-8888-9999-aaaaaaaaaaaa";
const KEPT = { magic: 0x1234n, flags: TRANSIT, data: new Uint8Array([1, 2, 3, 4, 5]) };
const DROPPED = { magic: 0x5678n, flags: 0n, data: new Uint8Array(64).fill(7) };

const image = () => makeImage({ format: "v2", tracks: TRACKS, hosts: [0, 1, -1, -1] });
const bitmaps = [
  { id: FIRST, granularity: TRACKS, dirty: [2] },
  { id: SECOND, granularity: 1, dirty: [30] },
];

/** Refuses to grow. */
class Full extends PassingStorage<MemoryStorage> {
  override truncate(size: number): void {
    if (size > this.inner.size()) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    super.truncate(size);
  }
}

describe.each(fewCombinations)("a format extension ($face face, $engine engine)", ({ face, engine }) => {
  const open = (storage: MemoryStorage, options = {}) => openDisk(face, storage, { engine, ...options });

  it("loses what nobody knows and nobody wants kept, and keeps the rest in order, once its image is written on", async () => {
    const storage = new MemoryStorage(withExtension(image(), [KEPT, bitmaps[0], DROPPED, bitmaps[1]]));
    const disk = await open(storage);
    await disk.write(new Uint8Array([1]), 0);
    await disk.close();
    const bytes = storage.toUint8Array();
    expect(fieldOf(bytes, FIELD.inUse)).toBe(IN_USE.closedV21);
    const { sections, bitmaps: found } = readExtension(bytes)!;
    expect(sections.map(({ magic }) => magic)).toEqual([KEPT.magic, sections[1].magic, sections[1].magic]);
    expect(sections[0]).toEqual(KEPT);
    expect(found.map((bitmap) => [bitmap.id, dirtyGranules(bitmap)])).toEqual([
      [FIRST, [0, 2]],
      [SECOND, [0, 30]],
    ]);
    const again = await open(new MemoryStorage(bytes));
    expect((await again.check()).findings).toEqual([]);
  });

  it("has no bits at sector 1, where clusters are sectors: a bitmap that names it says that all are set", async () => {
    const plain = makeImage({ format: "v2", tracks: 1, hosts: [-1, 1, -1, -1] });
    const storage = new MemoryStorage(withExtension(plain, [{ granularity: 1, dirty: [] }]));
    const disk = await open(storage);
    await disk.write(new Uint8Array([1]), 512); // in place: the first cluster stays free
    await disk.close();
    expect(dirtyGranules(readExtension(storage.toUint8Array())!.bitmaps[0])).toEqual([1]);
  });

  it("goes where nothing of it is left", async () => {
    const storage = new MemoryStorage(withExtension(image(), [DROPPED]));
    const disk = await open(storage);
    await disk.write(new Uint8Array([1]), 0);
    await disk.close();
    const bytes = storage.toUint8Array();
    expect([fieldOf(bytes, FIELD.extensionLow), fieldOf(bytes, FIELD.inUse)]).toEqual([0, IN_USE.closed]);
    expect(bytes.length).toBe(image().length);
  });

  it("is as it was where nothing was changed, whoever closed its image", async () => {
    for (const inUse of [IN_USE.closedV21, IN_USE.closed, 0x32326470]) {
      const bytes = withExtension(image(), [DROPPED, bitmaps[0], KEPT], { inUse });
      const storage = new MemoryStorage(bytes);
      const disk = await open(storage);
      expect(disk.bitmaps).toEqual([{ id: FIRST, granularity: CLUSTER, stale: inUse !== IN_USE.closedV21 }]);
      await disk.close();
      expect(storage.toUint8Array()).toEqual(bytes);
    }
  });

  it("that needs who knows more is read, and neither written nor repaired", async () => {
    const bytes = withExtension(image(), [{ ...KEPT, flags: NECESSARY }]);
    const content = await readRange(await open(new MemoryStorage(image()), { readOnly: true }));
    expect(await readRange(await open(new MemoryStorage(bytes), { readOnly: true }))).toEqual(content);
    await expect(async () => open(new MemoryStorage(bytes))).rejects.toMatchObject({ code: "CORRUPT" });
    const storage = new MemoryStorage(bytes);
    const refusal = { code: "UNSUPPORTED", message: expect.stringMatching(/0x1234\).*software that wrote it/) };
    await expect(async () => open(storage, { repair: "all" })).rejects.toMatchObject(refusal);
    expect(storage.toUint8Array()).toEqual(bytes);
  });

  it("with any byte flipped is a finding, and a repair drops it and says so", async () => {
    const sound = withExtension(image(), bitmaps);
    const start = fieldOf(sound, FIELD.extensionLow) * 512;
    for (let at = 0; at < CLUSTER; at += at < 200 ? 7 : 331) {
      const bytes = sound.slice();
      bytes[start + at] ^= 0x10;
      const reader = await open(new MemoryStorage(bytes.slice()), { readOnly: true });
      expect((await reader.check()).findings[0]).toMatchObject({ kind: "extension", severity: "corruption", count: 1 });
      expect(reader.bitmaps).toEqual([]);
      const storage = new MemoryStorage(bytes);
      const disk = await open(storage, { repair: "all" });
      expect(disk.repaired!.before.findings[0].message).toMatch(
        /format extension cannot be kept: its (magic|checksum)/,
      );
      expect(disk.repaired!.after.corruptions).toBe(0);
      await disk.close();
      expect(readExtension(storage.toUint8Array())).toBeUndefined();
    }
  });

  it("of which a bitmap cannot be believed loses that one, by name, and the data keeps its cluster", async () => {
    const own = fieldOf(withExtension(image()), FIELD.extensionLow);
    const data = own - TRACKS; // the last cluster of the disk's data
    const bytes = withExtension(image(), bitmaps, { sectors: [own, own + TRACKS, data] });
    bytes.set(image().subarray(data * 512, own * 512), data * 512);
    const content = await readRange(await open(new MemoryStorage(image()), { readOnly: true }));
    const storage = new MemoryStorage(bytes);
    const disk = await open(storage, { repair: "all" });
    expect(disk.repaired!.before.findings).toMatchObject([{ kind: "bitmap", count: 1 }]);
    expect(disk.repaired!.before.findings[0].message).toContain(SECOND);
    expect(disk.bitmaps.map(({ id }) => id)).toEqual([FIRST]);
    expect(await readRange(disk)).toEqual(content);
    await disk.close();
    const [left, ...more] = readExtension(storage.toUint8Array())!.bitmaps;
    expect([left.id, dirtyGranules(left), more]).toEqual([FIRST, [2], []]);
  });

  it("that has no room for what changed is closed as by who knows nothing of it, and the writes are there", async () => {
    const clean = withExtension(image(), [{ id: FIRST, granularity: 1, dirty: [] }]);
    const memory = new MemoryStorage(clean);
    const disk = await openDisk(face, new Full(memory), { engine });
    await disk.write(new Uint8Array([9]), 5);
    await disk.flush(); // there is no cluster for bits
    expect(await disk.dirtyRanges(FIRST)).toEqual([{ offset: 0, length: 512 }]);
    await disk.close();
    const bytes = memory.toUint8Array();
    expect(fieldOf(bytes, FIELD.inUse)).toBe(IN_USE.closed);
    const again = await open(new MemoryStorage(bytes));
    expect(again.bitmaps).toMatchObject([{ id: FIRST, stale: true }]);
    expect((await readRange(again, 5, 1))[0]).toBe(9);
    await expect(async () => again.dirtyRanges(FIRST)).rejects.toMatchObject({ code: "STALE" });
    expect(await again.dirtyRanges(FIRST, { trustStale: true })).toEqual([]); // which is what it is not to be trusted for
  });
});
