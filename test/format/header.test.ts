import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiskError } from "../../src/errors.js";
import { decodeHeader, encodeHeader, type Header, probe } from "../../src/format/header.js";
import { fixtures, readFixture, testWith } from "../support/peers.js";
import { runs } from "../support/runs.js";

const u32 = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
const sectors = fc.oneof(
  u32,
  fc.maxSafeNat().map((bytes) => Math.floor(bytes / 512)),
  fc.constant(2 ** 44 - 1),
);

const headers: fc.Arbitrary<Header> = fc
  .record({
    format: fc.constantFrom("v1" as const, "v2" as const),
    heads: u32,
    cylinders: u32,
    tracks: u32,
    batEntries: u32,
    sectorCount: sectors,
    inUse: u32,
    dataOffset: u32,
    flags: u32,
    extensionOffset: sectors,
  })
  .map((header) => (header.format === "v1" ? { ...header, sectorCount: header.sectorCount % 2 ** 32 } : header));

describe("A header", () => {
  it("comes through encoding and decoding, whatever its fields", () => {
    fc.assert(
      fc.property(headers, (header) => {
        const bytes = encodeHeader(header);
        expect(bytes.length).toBe(64);
        expect(decodeHeader(bytes)).toEqual(header);
        expect(encodeHeader(decodeHeader(bytes))).toEqual(bytes);
        expect(probe(bytes)).toBe(header.format);
      }),
      runs(500),
    );
  });

  it("is decoded from any place in memory", () => {
    const bytes = encodeHeader({ ...plain, tracks: 77 });
    const memory = new Uint8Array(200).fill(0xff);
    memory.set(bytes, 13);
    expect(decodeHeader(memory.subarray(13, 77))).toEqual({ ...plain, tracks: 77 });
  });

  it("is little-endian, and each field where the format has it", () => {
    const bytes = encodeHeader({
      format: "v2",
      heads: 0x01020304,
      cylinders: 0x05060708,
      tracks: 0x090a0b0c,
      batEntries: 0x0d0e0f10,
      sectorCount: 0x1112131415,
      inUse: 0x746f6e59,
      dataOffset: 0x16171819,
      flags: 0x1a1b1c1d,
      extensionOffset: 0x2021222324,
    });
    expect(Buffer.from(bytes).toString("latin1", 0, 16)).toBe("WithouFreSpacExt");
    expect(Buffer.from(bytes).toString("hex", 16)).toBe(
      "02000000040302010807060" + "50c0b0a09100f0e0d1514131211000000596e6f74191817161d1c1b1a24232221" + "20000000",
    );
  });

  it("of v1 has a disk size of 32 bits: the other half is not looked at", () => {
    const bytes = encodeHeader({ ...plain, format: "v1" });
    bytes.fill(0xff, 40, 44);
    expect(decodeHeader(bytes).sectorCount).toBe(plain.sectorCount);
  });

  it("that is none is a named error, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(probe(bytes)).toBeUndefined();
        expect(() => decodeHeader(bytes)).toThrow(DiskError);
        expect(() => decodeHeader(bytes)).toThrow(/not a Parallels image/);
      }),
      runs(200),
    );
  });

  testWith([fixtures], "of other software comes through, byte for byte", () => {
    for (const name of ["parallels-v1.hds.gz", "parallels-v2.hds.gz", "parallels-with-bitmap.hds.gz"]) {
      const bytes = new Uint8Array(readFixture(name).subarray(0, 64));
      expect(encodeHeader(decodeHeader(bytes))).toEqual(bytes);
    }
  });
});

const plain: Header = {
  format: "v2",
  heads: 16,
  cylinders: 1,
  tracks: 8,
  batEntries: 4,
  sectorCount: 32,
  inUse: 0,
  dataOffset: 8,
  flags: 0,
  extensionOffset: 0,
};
