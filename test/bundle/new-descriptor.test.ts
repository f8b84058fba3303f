/** The descriptor of a new bundle: what Parallels Desktop writes, element by element. */
import { describe, expect, test } from "vitest";
import { parseDescriptor } from "../../src/bundle/descriptor.js";
import { DEFAULT_TOP } from "../../src/bundle/guid.js";
import { type NewBundle, newDescriptor, SPLIT_SIZE } from "../../src/bundle/new-descriptor.js";
import { describeWith, fixtures, readFixture } from "../support/peers.js";

const MIB = 2 ** 20;
const make = (bundle: Partial<NewBundle>) =>
  newDescriptor({ name: "expanding", size: 100 * MIB, clusterSize: MIB, ...bundle });
const UID = /<UID>\{[0-9a-f-]{36}\}<\/UID>/;

describeWith([fixtures], "A new descriptor", () => {
  test("is one by Parallels Desktop, but for its UID", () => {
    const theirs = new TextDecoder().decode(readFixture("expanding.hdd/DiskDescriptor.xml"));
    const ours = make({}).toString();
    expect(ours).toMatch(UID);
    expect(ours.replace(UID, "")).toBe(theirs.replace(UID, ""));
  });
});

describe("A new disk", () => {
  const parts = (bundle: Partial<NewBundle>) => make(bundle).storages.map(({ start, end }) => end - start);

  test("is cut where Parallels Desktop cuts", () => {
    expect(SPLIT_SIZE).toBe(3_989_504 * 512);
    const { storages, size } = make({ size: 5 * 2 ** 30, split: true });
    expect(storages.map(({ end }) => end)).toEqual([SPLIT_SIZE, 2 * SPLIT_SIZE, size]);
    expect(storages.map(({ images }) => images.map(({ file }) => file))).toEqual(
      [0, 1, 2].map((index) => [`expanding.hdd.${index}.${DEFAULT_TOP}.hds`]),
    );
  });

  test("is cut into whole clusters, whatever they are", () => {
    expect(parts({ split: 10.5 * MIB, size: 25 * MIB })).toEqual([10 * MIB, 10 * MIB, 5 * MIB]);
    expect(parts({ split: 512, size: 3 * MIB })).toEqual([MIB, MIB, MIB]);
    expect(parts({ split: true, clusterSize: 63 * 512, size: SPLIT_SIZE })[0] % (63 * 512)).toBe(0);
    expect(parts({ split: 2 * MIB, size: 4 * MIB })).toEqual([2 * MIB, 2 * MIB]);
    expect(parts({ split: 2 * MIB, size: 512 })).toEqual([512]);
    for (const split of [false, undefined, MIB]) expect(parts({ split, size: 0 })).toEqual([0]);
  });

  test("may be raw, and may have any name that a file may have", () => {
    const name = "Tom & Jerry's <disk> \u{1f4be}";
    const descriptor = make({ plain: true, name });
    expect(descriptor.storages[0].images).toEqual([
      { guid: DEFAULT_TOP, type: "plain", file: `${name}.hdd.0.${DEFAULT_TOP}.hds` },
    ]);
    expect(parseDescriptor(descriptor.toBytes()).name).toBe(name);
  });

  test.each([
    [{ size: 1000 }, "size: expected a multiple of 512 bytes, got 1000"],
    [{ size: 2 ** 54 }, "size: expected a multiple"],
    [{ clusterSize: 0 }, "clusterSize: expected a multiple of 512 bytes up to 2143297024, got 0"],
    [{ clusterSize: 4186128 * 512 }, "clusterSize: expected a multiple"],
    [{ split: 511 }, "split: expected at least 512 bytes, got 511"],
    [{ split: Number.NaN }, "split: expected at least 512 bytes, got NaN"],
    [{ split: MIB, size: 5000 * MIB }, "split: expected at most 4096 storages, got 5000: choose larger ones"],
    [{ name: "" }, "name: expected a plain file name"],
    [{ name: "../disk" }, "name: expected a plain file name"],
    [{ name: "c:disk" }, "name: expected a plain file name"],
    [{ name: "a\nb" }, "name: expected a plain file name"],
    [{ name: "\ud800" }, "name: expected a plain file name"],
  ])("is refused with %j", (bundle, message) => {
    expect(() => make(bundle)).toThrow(RangeError);
    expect(() => make(bundle)).toThrow(message);
  });
});
