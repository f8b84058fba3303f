import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { badSections, bitmapsOf, problemOf, readExtensionAt, sectorsOf } from "../../src/image/extension.js";
import { Medium } from "../../src/medium/medium.js";
import { runSync } from "../../src/run.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { encodeExtension, encodeSection, sealed } from "../support/extension.js";
import { fixtures, readFixture, testWith } from "../support/peers.js";
import { runs } from "../support/runs.js";

const MAGIC = 0xab234cef23dcea87n;
const BITMAP = 0x20385fae252cb34an;

interface Section {
  magic: bigint;
  flags: bigint;
  size: number;
  /** What the section says its size is, if that is not so. */
  claimed: number | undefined;
  entries: number;
  sectors: bigint[];
}

const u32 = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constant(2 ** 32 - 1));
const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 40n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));

const sections: fc.Arbitrary<Section> = fc.record({
  magic: fc.oneof(fc.constant(BITMAP), fc.constant(0n), u64),
  flags: u64,
  size: fc.nat(120),
  claimed: fc.option(u32, { nil: undefined }),
  entries: fc.oneof(fc.nat(12), u32),
  sectors: fc.array(u64, { maxLength: 10 }),
});

function build(length: number, list: readonly Section[]): Uint8Array {
  const bytes = new Uint8Array(length + 10_000);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MAGIC, true);
  let offset = 24;
  for (const { magic, flags, size, claimed, entries, sectors } of list) {
    view.setBigUint64(offset, magic, true);
    view.setBigUint64(offset + 8, flags, true);
    view.setUint32(offset + 16, claimed ?? size, true);
    view.setUint32(offset + 24 + 28, entries, true);
    for (const [index, sector] of sectors.entries()) view.setBigUint64(offset + 56 + 8 * index, sector, true);
    offset += 24 + Math.ceil(size / 8) * 8;
  }
  return length < 24 ? bytes.subarray(0, length) : sealed(bytes.subarray(0, length));
}

const mediumOf = (file: Uint8Array): Medium =>
  new Medium(new MemoryStorage(file), file.length, { preallocation: { mode: "off", size: 0 }, concurrent: false });

/** What a whole cluster says, of a disk of so many sectors. */
function parse(cluster: Uint8Array, sectorCount = DISK): { sectors: number[]; ids: string[]; problems: string[] } {
  // Something lies around it in the file.
  const file = new Uint8Array(512 + cluster.length + 100).fill(0xff);
  file.set(cluster, 512);
  const extension = runSync(readExtensionAt(mediumOf(file), 512, cluster.length, sectorCount, false));
  const [own, ...sectors] = sectorsOf(extension);
  expect(own).toBe(1);
  const bad = badSections(extension).map(({ problem }) => problem ?? "");
  const whole = problemOf(extension);
  return {
    sectors,
    ids: bitmapsOf(extension).map(({ id }) => id),
    problems: whole === undefined ? bad : [whole],
  };
}

/** 64 bits of 8 sectors each: one page. */
const DISK = 512;

/** A bitmap of that disk, as it should be. */
const good = (pages: readonly bigint[] = [1n], change: Partial<BitmapFields> = {}): Uint8Array => {
  const fields = { size: BigInt(DISK), granularity: 8, l1Size: pages.length, id: 7, flags: 0n, ...change };
  const data = new Uint8Array(32 + 8 * pages.length);
  const view = new DataView(data.buffer);
  view.setBigUint64(0, fields.size, true);
  data.fill(fields.id, 8, 24);
  view.setUint32(24, fields.granularity, true);
  view.setUint32(28, fields.l1Size, true);
  for (const [page, sector] of pages.entries()) view.setBigUint64(32 + 8 * page, sector, true);
  return encodeSection({ magic: BITMAP, flags: fields.flags, data });
};

interface BitmapFields {
  size: bigint;
  granularity: number;
  l1Size: number;
  id: number;
  flags: bigint;
}

const uuidOf = (byte: string): string =>
  `${byte.repeat(4)}-${byte.repeat(2)}-${byte.repeat(2)}-${byte.repeat(2)}-${byte.repeat(6)}`;

describe("The extension parser", () => {
  it("ends, without an error, whatever the counts say, and names only places that are there", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 24, max: 1024 }),
        fc.array(sections, { maxLength: 6 }),
        u32,
        (length, list, disk) => {
          const { sectors } = parse(build(length, list), disk);
          expect(sectors.length).toBeLessThanOrEqual(length / 8);
          for (const sector of sectors) expect(Number.isSafeInteger(sector * 512) && sector > 1).toBe(true);
        },
      ),
      runs(2000),
    );
  });

  it("finds nothing wrong with an extension without features", () => {
    expect(parse(build(512, []))).toEqual({ sectors: [], ids: [], problems: [] });
  });

  it("finds every bitmap, and the clusters of those that are neither all clear nor all set", () => {
    const cluster = encodeExtension(512, [
      good([8n], { id: 1 }),
      encodeSection({ magic: 5n, flags: 2n, data: new Uint8Array(13) }),
      good([1n], { id: 2 }),
      good([0n], { id: 3 }),
    ]);
    expect(parse(cluster)).toEqual({ sectors: [8], ids: ["01", "02", "03"].map(uuidOf), problems: [] });
  });

  it.each<[string, Partial<BitmapFields>, bigint[], RegExp]>([
    ["another disk's size", { size: BigInt(DISK + 1) }, [1n], /is that of a disk of 513 sectors, not of 512/],
    ["a size beyond all disks", { size: 2n ** 60n }, [1n], /is that of a disk of 2\^44 sectors or more/],
    ["no granularity", { granularity: 0 }, [1n], /granularity of 0 sectors, no power of two/],
    ["a granularity of 3 sectors", { granularity: 3 }, [1n], /granularity of 3 sectors, no power of two/],
    ["too long a table", { l1Size: 2 }, [1n, 1n], /table of 2 entries, but needs 1/],
    ["a table that claims 4 Gi entries", { l1Size: 2 ** 32 - 1 }, [1n], /table of 4294967295 entries, but needs 1/],
    ["no table", { l1Size: 1 }, [], /passes the end of its section/],
    ["a page beyond 2^53 bytes", {}, [2n ** 45n], /leads beyond 2\^53 bytes/],
  ])("drops no more than the bitmap that has %s", (_, change, pages, problem) => {
    const cluster = encodeExtension(512, [good([8n], { id: 1 }), good(pages, { ...change, id: 2 })]);
    const { sectors, ids, problems } = parse(cluster);
    expect({ sectors, ids }).toEqual({ sectors: [8], ids: [uuidOf("01")] });
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems[0]).toContain(uuidOf("02"));
  });

  it("does not take the second of two bitmaps with one id", () => {
    const { ids, problems } = parse(encodeExtension(512, [good(), good()]));
    expect(ids).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/is there twice/)]);
  });

  it("finds any flipped byte", () => {
    const cluster = encodeExtension(512, [good([8n])]);
    for (let at = 0; at < cluster.length; at++) {
      const flipped = cluster.slice();
      flipped[at] ^= 1 << (at % 8);
      expect(parse(flipped).problems).toEqual([at < 8 ? "its magic number is wrong" : "its checksum is wrong"]);
    }
  });

  it("says which necessary feature it does not know, and wants an end of the features", () => {
    const unknown = encodeSection({ magic: 0xabcn, flags: 1n, data: new Uint8Array(8) });
    expect(parse(encodeExtension(512, [unknown])).problems).toEqual([
      "it has a necessary feature that is not known (0xabc)",
    ]);
    const full = new Uint8Array(24 + good().length);
    full.set(encodeExtension(512, [good()]).subarray(0, full.length));
    expect(parse(sealed(full)).problems).toEqual(["its sections have no end"]);
  });

  it("finds the clusters of tables of many pages", () => {
    const entries = 20_000;
    const pages = Array.from({ length: entries }, (_, index) => (index % 3000 < 40 ? BigInt(8 * index + 8) : 0n));
    const size = 2 ** 18;
    const sectorCount = entries * size * 8;
    const cluster = encodeExtension(size, [good(pages, { size: BigInt(sectorCount), granularity: 1 })]);
    expect(parse(cluster, sectorCount)).toEqual({
      sectors: pages.filter((sector) => sector > 0n).map(Number),
      ids: [uuidOf("07")],
      problems: [],
    });
  });

  testWith([fixtures], "reads what Virtuozzo wrote", () => {
    const file = readFixture("parallels-with-bitmap.hds.gz");
    const view = new DataView(file.buffer, file.byteOffset);
    const offset = view.getUint32(56, true) * 512;
    const cluster = file.subarray(offset, offset + view.getUint32(28, true) * 512);
    expect(parse(cluster, view.getUint32(36, true))).toEqual({
      sectors: [0x800],
      ids: ["e4f2eed0-37fe-4539-b50b-85d2e7fd235f"],
      problems: [],
    });
  });
});
