import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FOREIGN_HEAD, FOREIGN_TAIL, promisedBy, recognise } from "../../src/format/foreign.js";
import { decodeHeader } from "../../src/format/header.js";
import { runs } from "../support/runs.js";
import { FOREIGN_BYTES } from "./foreign-bytes.js";

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A file of random bytes with some of them replaced. */
const laidOver = (random: Uint8Array, at: number, bytes: string) => {
  const content = random.slice();
  content.set(latin1(bytes), at < 0 ? content.length + at : at);
  return content;
};

const recogniseFile = (content: Uint8Array) =>
  recognise(content.subarray(0, FOREIGN_HEAD), content.subarray(-FOREIGN_TAIL));

const content = fc.uint8Array({ minLength: 4096, maxLength: 4096 });

describe("recognise", () => {
  it.each(FOREIGN_BYTES)("names $name, whatever surrounds what it is known by", ({ name, at, bytes }) => {
    fc.assert(
      fc.property(content, (random) => {
        expect(recogniseFile(laidOver(random, at, bytes))?.name).toBe(name);
      }),
      runs(20),
    );
  });

  it.each(FOREIGN_BYTES)("does not name $name where it is known by stands elsewhere", ({ name, at, bytes }) => {
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 2000 }), (random, by) => {
        const moved = laidOver(random, at < 0 ? at - by : at + by, bytes);
        // White space may come before a page, and anything between a descriptor's first tag and its root.
        if (!/^[\s\xef<]/.test(String.fromCharCode(moved[0]))) expect(recogniseFile(moved)?.name).not.toBe(name);
      }),
      runs(50),
    );
  });

  it.each(FOREIGN_BYTES.filter(({ exact }) => exact))("needs every byte of what $name is known by", ({ at, bytes }) => {
    fc.assert(
      fc.property(content, fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (random, index, change) => {
        const file = laidOver(random, at, bytes);
        file[(at < 0 ? file.length + at : at) + index] ^= change;
        expect(recogniseFile(file)).toBe(undefined);
      }),
      runs(50),
    );
  });

  it("takes anything else for a raw disk: boot sectors, file systems, encrypted volumes, ISO images, zeros, nothing", () => {
    const raw: [at: number, bytes: string][] = [
      [510, "\x55\xaa"],
      [3, "NTFS    "],
      [1080, "\x53\xef"],
      [0, "LUKS\xba\xbe\0\x02"],
      [0, "XFSB"],
      [0, "hsqs"],
      [512, "EFI PART"],
      [512, "LABELONE"],
      [32769, "CD001"],
    ];
    for (const [at, bytes] of raw) expect(recogniseFile(laidOver(new Uint8Array(65536), at, bytes))).toBe(undefined);
    expect(recogniseFile(new Uint8Array(65536))).toBe(undefined);
    expect(recognise(new Uint8Array(0))).toBe(undefined);
  });

  it("takes random bytes for a raw disk", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.boolean(), (random, bootable) => {
        const disk = bootable && random.length >= 512 ? laidOver(random, 510, "\x55\xaa") : random;
        fc.pre(!FOREIGN_BYTES.some(({ bytes }) => disk[0] === bytes.charCodeAt(0)));
        expect(recogniseFile(disk)).toBe(undefined);
      }),
      runs(500),
    );
  });

  it("does not look for a trailer in a file that is shorter than one", () => {
    expect(recognise(latin1("x"), latin1("conectix"))).toBe(undefined);
  });
});

describe("a name", () => {
  it.each(["qcow2", "vmdk", "vdi", "vhd", "vhdx", "dmg", "gz", "xz", "zst", "bz2", "zip", "QCOW2", "ova"])(
    "that ends in .%s promises another format",
    (ending) => {
      expect(promisedBy(`/a.b/disk.raw.${ending}`)).toBeDefined();
      for (const name of [ending, `disk${ending}`, `${ending}.hds`, `disk.${ending}.raw`, `disk.${ending}x`])
        expect([name, promisedBy(name)]).toEqual([
          name,
          name === "disk.vhdx" || name === "disk.VHDX" ? expect.anything() : undefined,
        ]);
    },
  );
});

it("says what a file is where a Parallels image is wanted", () => {
  expect(() => decodeHeader(latin1(`QFI\xfb\0\0\0\x03${"\0".repeat(56)}`))).toThrow(
    /^this is not a Parallels image, it is a qcow2 image: .*qemu-img convert/,
  );
});
