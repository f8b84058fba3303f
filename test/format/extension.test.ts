import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExtension } from "../../src/format/extension.js";
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
  return bytes.subarray(0, length);
}

describe("The extension parser", () => {
  it("ends, without an error, whatever the counts say, and names only places that are there", () => {
    fc.assert(
      fc.property(fc.nat(1024), fc.array(sections, { maxLength: 6 }), (length, list) => {
        const layout = parseExtension(build(length, list));
        expect(layout.bitmapSectors.length).toBeLessThanOrEqual(length / 8);
        for (const sector of layout.bitmapSectors) expect(Number.isSafeInteger(sector * 512) && sector > 1).toBe(true);
        if (length < 24) expect(layout.problem).toMatch(/magic/);
      }),
      runs(2000),
    );
  });

  it("finds nothing wrong with an extension without features", () => {
    expect(parseExtension(build(512, []))).toEqual({ bitmapSectors: [] });
  });

  it("finds every bitmap's clusters, and not what is all clear or all set", () => {
    const bitmap = { magic: BITMAP, flags: 0n, claimed: undefined };
    const list = [
      { ...bitmap, size: 32 + 24, entries: 3, sectors: [8n, 0n, 16n] },
      { magic: 5n, flags: 2n, size: 13, claimed: undefined, entries: 0, sectors: [] },
      { ...bitmap, size: 32 + 16, entries: 2, sectors: [1n, 24n] },
    ];
    expect(parseExtension(build(512, list))).toEqual({ bitmapSectors: [8, 16, 24] });
  });

  testWith([fixtures], "reads what Virtuozzo wrote", () => {
    const file = readFixture("parallels-with-bitmap.hds.gz");
    const view = new DataView(file.buffer, file.byteOffset);
    const offset = view.getUint32(56, true) * 512;
    const cluster = file.subarray(offset, offset + view.getUint32(28, true) * 512);
    expect(parseExtension(cluster)).toEqual({ bitmapSectors: [0x800] });
  });
});
