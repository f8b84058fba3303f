import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readExtension } from "../../src/image/extension.js";
import { Medium } from "../../src/medium/medium.js";
import { runSync } from "../../src/run.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { sealed } from "../support/extension.js";
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

/** What a whole cluster says. */
function parse(cluster: Uint8Array): { bitmapSectors: number[]; problem?: string } {
  const bitmapSectors: number[] = [];
  // Something lies around it in the file.
  const file = new Uint8Array(512 + cluster.length + 100).fill(0xff);
  file.set(cluster, 512);
  const problem = runSync(readExtension(mediumOf(file), 512, cluster.length, (sector) => bitmapSectors.push(sector)));
  return problem === undefined ? { bitmapSectors } : { bitmapSectors, problem };
}

describe("The extension parser", () => {
  it("ends, without an error, whatever the counts say, and names only places that are there", () => {
    fc.assert(
      fc.property(fc.nat(1024), fc.array(sections, { maxLength: 6 }), (length, list) => {
        const layout = parse(build(length, list));
        expect(layout.bitmapSectors.length).toBeLessThanOrEqual(length / 8);
        for (const sector of layout.bitmapSectors) expect(Number.isSafeInteger(sector * 512) && sector > 1).toBe(true);
        if (length < 24) expect(layout.problem).toMatch(/magic/);
      }),
      runs(2000),
    );
  });

  it("finds nothing wrong with an extension without features", () => {
    expect(parse(build(512, []))).toEqual({ bitmapSectors: [] });
  });

  it("finds every bitmap's clusters, and not what is all clear or all set", () => {
    const bitmap = { magic: BITMAP, flags: 0n, claimed: undefined };
    const list = [
      { ...bitmap, size: 32 + 24, entries: 3, sectors: [8n, 0n, 16n] },
      { magic: 5n, flags: 2n, size: 13, claimed: undefined, entries: 0, sectors: [] },
      { ...bitmap, size: 32 + 16, entries: 2, sectors: [1n, 24n] },
    ];
    expect(parse(build(512, list))).toEqual({ bitmapSectors: [8, 16, 24] });
  });

  it("stops at the end of the features, and at the first place beyond 2^53 bytes", () => {
    const bitmap = { magic: BITMAP, flags: 0n, claimed: undefined, size: 32 + 16, entries: 2 };
    const end = { magic: 0n, flags: 0n, size: 0, claimed: undefined, entries: 0, sectors: [] };
    const list = [{ ...bitmap, sectors: [8n, 16n] }, end, { ...bitmap, sectors: [24n, 32n] }];
    expect(parse(build(512, list))).toEqual({ bitmapSectors: [8, 16] });
    expect(parse(build(512, [{ ...bitmap, sectors: [2n ** 45n, 16n] }]))).toEqual({
      bitmapSectors: [],
      problem: "a bitmap's table leads beyond 2^53 bytes",
    });
  });

  it("finds the clusters of tables of many pages, holes in them included", () => {
    const entries = 20_000;
    const sectors = Array.from({ length: entries }, (_, index) => (index % 3000 < 40 ? BigInt(8 * index + 8) : 0n));
    const bitmap = { magic: BITMAP, flags: 0n, claimed: undefined, size: 32 + 8 * entries, entries, sectors };
    const cluster = new Uint8Array(2 ** 18);
    cluster.set(build(200_000, [{ ...bitmap, sectors: sectors.slice(0, 0) }]));
    const view = new DataView(cluster.buffer);
    for (const [index, sector] of sectors.entries()) view.setBigUint64(24 + 24 + 32 + 8 * index, sector, true);
    expect(parse(sealed(cluster))).toEqual({ bitmapSectors: sectors.filter((sector) => sector > 0n).map(Number) });
  });

  testWith([fixtures], "reads what Virtuozzo wrote", () => {
    const file = readFixture("parallels-with-bitmap.hds.gz");
    const view = new DataView(file.buffer, file.byteOffset);
    const offset = view.getUint32(56, true) * 512;
    const cluster = file.subarray(offset, offset + view.getUint32(28, true) * 512);
    expect(parse(cluster)).toEqual({ bitmapSectors: [0x800] });
  });
});
