import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { geometryOf } from "../../src/format/geometry.js";
import { decodeHeader } from "../../src/format/header.js";
import { fixtures, readFixture, testWith } from "../support/peers.js";
import { runs } from "../support/runs.js";

describe("The geometry of a disk", () => {
  it.each([
    { sectorCount: 0, sectors: 63, cylinders: 0 },
    { sectorCount: 63 * 16 * 10, sectors: 63, cylinders: 10 },
    { sectorCount: 204_800, sectors: 32, cylinders: 400 },
    { sectorCount: 16 * 1001, sectors: 16, cylinders: 62 },
    { sectorCount: 8 * 1001, sectors: 8, cylinders: 62 },
    { sectorCount: 1_032_192, sectors: 63, cylinders: 1024 },
    { sectorCount: 1_032_193, sectors: 63, cylinders: 1024 },
    { sectorCount: 1_032_224, sectors: 63, cylinders: 1024 },
    { sectorCount: 16_777_215, sectors: 63, cylinders: 16_644 },
    { sectorCount: 16_777_216, sectors: 32, cylinders: 32_768 },
    { sectorCount: 134_217_728, sectors: 32, cylinders: 262_144 },
  ])("of $sectorCount sectors is $cylinders cylinders of 16 heads and $sectors sectors", ({ sectorCount, ...rest }) => {
    expect(geometryOf(sectorCount)).toEqual({ heads: 16, ...rest });
  });

  it("never reaches beyond the disk, and fits its fields", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 44 - 1 }), (sectorCount) => {
        const { cylinders, heads, sectors } = geometryOf(sectorCount);
        expect(cylinders * heads * sectors).toBeLessThanOrEqual(sectorCount);
        expect(Number.isInteger(cylinders) && cylinders < 2 ** 32).toBe(true);
        expect([63, 32, 16, 8]).toContain(sectors);
      }),
      runs(200),
    );
  });

  testWith([fixtures], "is the one that Parallels Desktop chose for its own disk", () => {
    const name = "expanding.hdd/expanding.hdd.0.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds.gz";
    const { sectorCount, heads, cylinders } = decodeHeader(readFixture(name).subarray(0, 64));
    expect(geometryOf(sectorCount)).toMatchObject({ heads, cylinders });
  });
});
