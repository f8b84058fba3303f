/** What a resize promises beside the bytes: what it moves, what it refuses, what it leaves, and who may use the disk meanwhile. */
import { describe, expect, test } from "vitest";
import { Disk } from "../../src/disk.js";
import { decodeHeader, encodeHeader, type Format, HEADER_SIZE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { withExtension } from "../support/extension.js";
import { createDisk, type FaceKind, fewCombinations, openDisk, readRange } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { dirtyGranules, readExtension } from "../support/read-extension.js";
import { ShuffledStorage, SpyStorage, UntouchableStorage } from "../support/storages.js";

const CLUSTER = 512;

/** The host cluster of each guest cluster, or -1. */
function hostsOf(file: Uint8Array): number[] {
  const { batEntries, dataOffset } = decodeHeader(file.subarray(0, HEADER_SIZE));
  const view = new DataView(file.buffer, file.byteOffset);
  // Clusters of one sector: entries count the same in both formats.
  return Array.from({ length: batEntries }, (_, index) => view.getUint32(64 + 4 * index, true) - dataOffset).map(
    (host) => Math.max(-1, host),
  );
}

describe.each(["v1", "v2"] as const)("A BAT that passes its room (%s)", (format: Format) => {
  /** 120 entries, and room for 240: 1000 need the place of six clusters more. */
  const [entries, many, inTheWay] = [120, 1000, 6];

  async function grown(hosts: readonly number[]): Promise<{ before: Uint8Array; after: Uint8Array; spy: SpyStorage }> {
    const before = makeImage({ format, tracks: 1, hosts });
    const memory = new MemoryStorage(before);
    const spy = new SpyStorage(memory);
    const disk = await openDisk("sync", spy);
    const content = await readRange(disk);
    spy.transfers = [];
    await disk.resize(many * CLUSTER);
    expect(firstDifference((await readRange(disk)).subarray(0, content.length), content)).toBe(-1);
    await disk.close();
    return { before, after: memory.toUint8Array(), spy };
  }

  test("moves the clusters in its way, neighbours as neighbours, and no other", async () => {
    const hosts = Array.from({ length: entries }, (_, guest) => (guest * 7) % entries); // scattered
    for (const [guest, host] of [2, 3, 4].entries()) {
      const other = hosts.indexOf(host);
      [hosts[50 + guest], hosts[other]] = [host, hosts[50 + guest]];
    }
    const { after, spy } = await grown(hosts);
    const moved = hostsOf(after).map((host) => (host < 0 ? -1 : host + inTheWay));
    for (const [guest, host] of hosts.entries())
      if (host < inTheWay) expect(moved[guest]).toBeGreaterThanOrEqual(entries);
      else expect(moved[guest]).toBe(host);
    expect([moved[51] - moved[50], moved[52] - moved[50]]).toEqual([1, 2]);
    expect(moved.slice(entries)).toEqual(new Array(many - entries).fill(-1));
    const bytes = spy.of("write").reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBeLessThan(4 * inTheWay * CLUSTER + 4096);
  });

  test("moves them into holes that have room for all neighbours, before the file grows", async () => {
    const hosts = Array.from({ length: entries }, (_, guest) => (guest < 40 ? guest : guest < 100 ? guest + 20 : -1));
    const { before, after } = await grown(hosts);
    const moved = hostsOf(after).map((host) => host + inTheWay);
    expect(moved.slice(0, 6)).toEqual([40, 41, 42, 43, 44, 45]);
    expect(after.length).toBe(before.length);
  });

  test.each([100, 40])("moves what belongs to a format extension (%i entries)", async (entries) => {
    const hosts = Array.from({ length: entries }, (_, guest) => (guest < 10 ? guest + 2 : -1));
    const start = Math.ceil((HEADER_SIZE + 4 * entries) / CLUSTER);
    const plain = makeImage({ format, tracks: 1, hosts });
    // With clusters of one sector the first may be sector 1, which no bitmap can name.
    const file = withExtension(plain, [{ granularity: 1, dirty: [3, 17] }], { sectors: [start, start + 1] });
    const memory = new MemoryStorage(file);
    const states: Uint8Array[] = [];
    const disk = await openDisk("sync", new Watched(memory, () => states.push(memory.toUint8Array())));
    const content = new Uint8Array(many * CLUSTER);
    content.set(await readRange(disk));
    await disk.resize(content.length);
    for (const state of states.splice(0)) {
      const dead = await openDisk("sync", new MemoryStorage(state));
      const [size, whole] = [dead.size, readExtension(state)];
      expect(firstDifference(await readRange(dead), content.subarray(0, size))).toBe(-1);
      expect(whole?.bitmaps[0].bits.length).toBe(Math.ceil(size / CLUSTER / 64) * 8);
    }
    await disk.close();
    const [bitmap] = readExtension(memory.toUint8Array())?.bitmaps ?? [];
    const added = Array.from({ length: many - entries }, (_, index) => entries + index);
    expect(dirtyGranules(bitmap)).toEqual([3, 17, ...added]);
    const again = await openDisk("sync", new MemoryStorage(memory.toUint8Array()));
    expect((await again.check()).findings).toEqual([]);
    expect(firstDifference(await readRange(again), content)).toBe(-1);
  });

  test("lies on zeros, whatever was there", async () => {
    const hosts = Array.from({ length: entries }, (_, guest) => (guest < 10 ? guest + inTheWay : -1));
    const file = makeImage({ format, tracks: 1, hosts });
    file.fill(0x11, HEADER_SIZE + 4 * entries, 2 * CLUSTER); // makeImage has filled the free clusters
    const memory = new MemoryStorage(file);
    const disk = await openDisk("sync", memory);
    const content = new Uint8Array(many * CLUSTER);
    content.set(await readRange(disk));
    await disk.resize(many * CLUSTER);
    expect(firstDifference(await readRange(disk), content)).toBe(-1);
    await disk.close();
    const again = await openDisk("sync", new MemoryStorage(memory.toUint8Array()));
    expect((await again.check()).findings).toEqual([]);
    expect(firstDifference(await readRange(again), content)).toBe(-1);
  });

  test("takes free clusters without moving anything", async () => {
    const hosts = Array.from({ length: entries }, (_, guest) => (guest < 10 ? guest + inTheWay : -1));
    const { after, spy } = await grown(hosts);
    expect(hostsOf(after).slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(decodeHeader(after.subarray(0, HEADER_SIZE)).dataOffset).toBe(2 + inTheWay);
    expect(spy.of("write").reduce((sum, { length }) => sum + length, 0)).toBeLessThan(8192);
  });
});

describe.each(fewCombinations)("A resize ($face face, $engine engine)", ({ face, engine }) => {
  test.each([undefined, 5, 500])(
    "shows nothing of what lies behind the disk's end (base of %s clusters)",
    async (under) => {
      const hosts = Array.from({ length: 90 }, (_, guest) => guest);
      const header = { sectorCount: 40 }; // a growth that was cut off, or other software, left the rest
      const base = under === undefined ? {} : { base: new MemoryStorage(patternBytes(9, under * CLUSTER + 100)) };
      const disk = await openDisk(face, new MemoryStorage(makeImage({ format: "v2", tracks: 1, hosts, header })), {
        engine,
        ...base,
      });
      expect((await disk.check()).corruptions).toBe(0);
      const content = new Uint8Array(60 * CLUSTER);
      content.set(await readRange(disk));
      await disk.resize(content.length);
      expect(firstDifference(await readRange(disk), content)).toBe(-1);
      expect(disk.clusterCount).toBe(60);
      const { findings } = await disk.check();
      expect(findings.filter(({ kind }) => kind !== "leakedTail")).toEqual([]);
    },
  );

  test("leaves one or the other disk whenever the process dies, and what was cut off never comes back", async () => {
    const sizes = [110, 400, 37, 250, 3].map((clusters) => clusters * CLUSTER - 1024 + 512);
    for (const base of [undefined, patternBytes(3, 130 * CLUSTER + 99)]) {
      const options = { engine, ...(base && { base: new MemoryStorage(base) }) };
      const memory = new MemoryStorage();
      const states: Uint8Array[] = [];
      const watched = new Watched(memory, () => states.push(memory.toUint8Array()));
      const disk = await createDisk(face, watched, { size: 100 * CLUSTER, clusterSize: CLUSTER, ...options });
      await disk.write(patternBytes(1, 60 * CLUSTER), 20 * CLUSTER + 9);
      await disk.flush();
      for (const size of sizes) {
        const before = await readRange(disk);
        states.length = 0;
        await disk.resize(size);
        const after = await readRange(disk);
        for (const state of states) await expectEither(face, state, options, before, after);
        await disk.write(patternBytes(size, 700), size - 700);
      }
    }
  });

  test("that cannot be is refused before anything is touched, and the same size touches nothing", async () => {
    const memory = new MemoryStorage();
    await (await createDisk(face, memory, { size: 10 * CLUSTER, clusterSize: CLUSTER, format: "v1" })).close();
    const open = (options = {}) =>
      openDisk(face, new UntouchableStorage(new MemoryStorage(memory.toUint8Array())), { engine, ...options });
    const disk = await open();
    for (const size of [-512, 100, 1.5, Number.NaN, "512", undefined, null, 2n])
      await expect(async () => disk.resize(size as number)).rejects.toThrow(/^size: expected a multiple of 512 bytes/);
    for (const size of [2 ** 41 + 512, Number.MAX_SAFE_INTEGER - 511])
      await expect(async () => disk.resize(size)).rejects.toThrow(RangeError);
    await disk.resize(10 * CLUSTER);
    await disk.close();
    await expect(async () => disk.resize(512)).rejects.toMatchObject({ code: "CLOSED" });
    const read = await open({ readOnly: true });
    await expect(async () => read.resize(512)).rejects.toMatchObject({ code: "READ_ONLY" });
  });

  test("of what a repair spared is refused until the disk is opened again", async () => {
    const file = makeImage({ format: "v2", tracks: 1, hosts: [0, 1, 1, 9000], hostCount: 5 });
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine, repair: "all" });
    await expect(async () => disk.resize(100 * CLUSTER)).rejects.toMatchObject({ code: "CORRUPT" });
    await disk.close();
    const again = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { engine });
    await again.resize(100 * CLUSTER);
    expect(again.size).toBe(100 * CLUSTER);
  });

  test.each(["v1", "v2"] as const)("of an image that is empty leaves a sound one (%s)", async (format) => {
    for (const clusterSize of [512, 1536, 63 * 512])
      for (const clusters of [9000, 130_000, 3]) {
        const memory = new MemoryStorage();
        const states: Uint8Array[] = [];
        const watched = new Watched(memory, () => states.push(memory.toUint8Array()));
        const disk = await createDisk(face, watched, { size: 100 * clusterSize, clusterSize, format, engine });
        states.length = 0;
        await disk.resize(clusters * clusterSize);
        for (const state of states) await (await openDisk(face, new MemoryStorage(state), { engine })).abandon();
        await disk.close();
        const again = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { engine });
        expect((await again.check()).findings).toEqual([]);
        expect(again.size).toBe(clusters * clusterSize);
      }
  });

  test("says where the data is, where a shorter BAT would move it and the file ends before it", async () => {
    const fields = { heads: 16, cylinders: 1, inUse: 0, dataOffset: 0, flags: 0, extensionOffset: 0 };
    const file = new Uint8Array(HEADER_SIZE + 4 * 300);
    file.set(encodeHeader({ format: "v1", tracks: 3, batEntries: 300, sectorCount: 900, ...fields }));
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine, prealloc: { mode: "off" } });
    await disk.resize(60 * 1536);
    await disk.abandon();
    const header = decodeHeader(memory.toUint8Array().subarray(0, HEADER_SIZE));
    expect(header).toMatchObject({ dataOffset: 3, batEntries: 60, sectorCount: 180, heads: 16, cylinders: 0 });
    const again = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { engine });
    expect((await again.check()).corruptions).toBe(0);
  });

  test("to nothing, and from nothing", async () => {
    const disk = await createDisk(face, new MemoryStorage(), { size: 9 * CLUSTER, clusterSize: CLUSTER, engine });
    await disk.write(patternBytes(1, 9 * CLUSTER), 0);
    await disk.resize(0);
    expect(disk).toMatchObject({ size: 0, clusterCount: 0, allocatedBytes: 0 });
    await disk.resize(5 * CLUSTER);
    expect(firstDifference(await readRange(disk), new Uint8Array(5 * CLUSTER))).toBe(-1);
  });

  test("gives the file's space back", async () => {
    const memory = new MemoryStorage();
    const disk = await createDisk(face, memory, { size: 1000 * CLUSTER, clusterSize: CLUSTER, engine });
    const start = await memory.size();
    await disk.write(patternBytes(1, 1000 * CLUSTER), 0);
    await disk.resize(10 * CLUSTER);
    expect(memory.size()).toBe(start + 10 * CLUSTER);
  });

  test("whose header may be either says it again before a flush succeeds", async () => {
    const memory = new MemoryStorage();
    const storage = new HeaderTrouble(memory);
    const disk = await createDisk(face, storage, { size: 100 * CLUSTER, clusterSize: CLUSTER, engine });
    await disk.write(patternBytes(1, 100 * CLUSTER), 0);
    for (const size of [400 * CLUSTER, 5 * CLUSTER]) {
      storage.trouble = true;
      await expect(async () => disk.resize(size)).rejects.toMatchObject({ code: "IO" });
      expect(disk.size).toBe(100 * CLUSTER);
      await expect(async () => disk.flush()).rejects.toMatchObject({ code: "IO" });
      storage.trouble = false;
      await disk.write(patternBytes(size, 100 * CLUSTER), 0);
      await disk.flush();
      const now = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { readOnly: true });
      expect((await now.check()).corruptions).toBe(1); // it was not closed
      expect(firstDifference(await readRange(now), patternBytes(size, 100 * CLUSTER))).toBe(-1);
    }
  });
});

/** Writes the header, and says that it did not. */
class HeaderTrouble extends SpyStorage {
  trouble = false;

  override write(buffer: Uint8Array, offset: number): number {
    const answer = super.write(buffer, offset);
    if (this.trouble && offset === 0) throw Object.assign(new Error("trouble"), { code: "EIO" });
    return answer;
  }
}

/** Tells of every change. */
class Watched extends SpyStorage {
  readonly #changed: () => void;

  constructor(memory: MemoryStorage, changed: () => void) {
    super(memory);
    this.#changed = changed;
  }

  override write(buffer: Uint8Array, offset: number): number {
    const answer = super.write(buffer, offset);
    this.#changed();
    return answer;
  }

  override truncate(size: number): void {
    super.truncate(size);
    this.#changed();
  }

  override punch(offset: number, length: number): void {
    super.punch(offset, length);
    this.#changed();
  }
}

/** What a dead process left is the disk before or after a resize; grown, it shows zeros in what is added. */
async function expectEither(
  face: FaceKind,
  state: Uint8Array,
  options: object,
  before: Uint8Array,
  after: Uint8Array,
): Promise<void> {
  const disk = await openDisk(face, new MemoryStorage(state), options);
  const content = await readRange(disk);
  expect([before.length, after.length]).toContain(content.length);
  expect(firstDifference(content, content.length === before.length ? before : after)).toBe(-1);
  const { findings } = await disk.check();
  expect(findings.filter(({ severity }) => severity === "corruption")).toEqual([]);
  const larger = new Uint8Array(700 * CLUSTER);
  larger.set(content);
  await disk.resize(larger.length);
  expect(firstDifference(await readRange(disk), larger)).toBe(-1);
}

describe("A disk in use", () => {
  test("refuses a request that waited while its range was cut off; nothing of it is done", async () => {
    const disk = await Disk.create(new MemoryStorage(), { size: 100 * CLUSTER, clusterSize: CLUSTER });
    await disk.write(patternBytes(1, 100 * CLUSTER), 0);
    const outcomes = await Promise.allSettled([
      disk.resize(50 * CLUSTER),
      disk.write(patternBytes(2, 2 * CLUSTER), 49 * CLUSTER),
      disk.read(new Uint8Array(CLUSTER), 80 * CLUSTER),
      disk.discard(40 * CLUSTER, 20 * CLUSTER),
      disk.writeZeroes(99 * CLUSTER, CLUSTER),
      disk.resize(60 * CLUSTER),
    ]);
    const reasons = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : undefined));
    expect(reasons[0]).toBeUndefined();
    for (const reason of reasons.slice(1, 5)) expect(reason).toBeInstanceOf(RangeError);
    expect(reasons[5]).toMatchObject({ code: "BUSY" });
    await disk.resize(100 * CLUSTER);
    const content = new Uint8Array(100 * CLUSTER);
    content.set(patternBytes(1, 50 * CLUSTER));
    expect(firstDifference(await readRange(disk), content)).toBe(-1);
  });

  test.each([1, 2, 3, 4])("is resized while others read and write (%i)", async (seed) => {
    const random = randomFrom(seed);
    const kept = 90 * CLUSTER;
    const memory = new MemoryStorage();
    const storage = new ShuffledStorage(memory, random);
    const base = seed % 2 === 0 ? { base: new MemoryStorage(patternBytes(7, 300 * CLUSTER)) } : {};
    const disk = await Disk.create(storage, { size: 100 * CLUSTER, clusterSize: CLUSTER, ...base });
    const model = await readRange(disk);
    let resizing = true;
    /** Each has a part of the disk to itself. */
    const worker = async (index: number): Promise<void> => {
      for (let turn = 0; resizing; turn++) {
        const from = index * 10 * CLUSTER;
        const offset = from + below(random, 9 * CLUSTER);
        const bytes = patternBytes(turn * 9 + index, 1 + below(random, CLUSTER));
        if (turn % 5 === 4) {
          await disk.writeZeroes(offset, bytes.length);
          model.fill(0, offset, offset + bytes.length);
        } else {
          await disk.write(bytes, offset);
          model.set(bytes, offset);
        }
        if (turn % 7 === 6) await disk.flush();
        expect(
          firstDifference(await readRange(disk, from, 10 * CLUSTER), model.subarray(from, from + 10 * CLUSTER)),
        ).toBe(-1);
      }
    };
    const workers = Array.from({ length: 9 }, (_, index) => worker(index));
    for (let turn = 0; turn < 8; turn++) await disk.resize(kept + CLUSTER * below(random, 800));
    resizing = false;
    await Promise.all(workers);
    await disk.close();
    const closed = await Disk.open(new MemoryStorage(memory.toUint8Array()), { readOnly: true, ...base });
    expect((await closed.check()).findings).toEqual([]);
    expect(firstDifference((await readRange(closed)).subarray(0, kept), model.subarray(0, kept))).toBe(-1);
  });
});
