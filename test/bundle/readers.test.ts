/** Who reads a snapshot by another way, as another process does, stands in the way of verbs that would change its files. */
import { describe, expect, test } from "vitest";
import { BundleSync } from "../../src/bundle.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";

const CLUSTER = 4096;

/** A disk with two snapshots; the first holds much, what lies above it little, so that it merges down. */
function made(split: number | undefined) {
  const folder = new MemoryFolder();
  const bundle = BundleSync.create(folder, { size: 32 * CLUSTER, clusterSize: CLUSTER, split });
  const disk = bundle.openDisk();
  const write = (cluster: number, count: number, byte: number) =>
    disk.write(new Uint8Array(count * CLUSTER).fill(byte), cluster * CLUSTER);
  write(0, 32, 1);
  const lower = bundle.createSnapshot();
  write(0, 1, 2);
  write(20, 1, 2);
  const upper = bundle.createSnapshot();
  return { folder, bundle, lower, upper, write };
}

describe.each([undefined, 16 * CLUSTER])("A snapshot that somebody else reads (parts of %s bytes)", (split) => {
  test.each(["a snapshot", "the top"] as const)("is there as before when it cannot be merged with %s", (above) => {
    const { folder, bundle, lower, upper, write } = made(split);
    if (above === "the top") {
      bundle.deleteSnapshot(upper);
      write(1, 1, 3);
    }
    const guids = bundle.snapshots.map(({ guid }) => guid);
    const other = BundleSync.open(folder);
    const reader = other.openDisk({ snapshot: lower });
    expect(() => bundle.deleteSnapshot(lower)).toThrow(expect.objectContaining({ code: "IN_USE" }));
    expect(bundle.snapshots.map(({ guid }) => guid)).toEqual(guids);
    expect(BundleSync.open(folder).snapshots.map(({ guid }) => guid)).toEqual(guids);
    const bytes = new Uint8Array(32 * CLUSTER);
    reader.read(bytes, 0);
    expect(bytes.every((byte) => byte === 1)).toBe(true);
    other.close();
    bundle.deleteSnapshot(lower);
    expect(bundle.snapshots.map(({ guid }) => guid)).toEqual(guids.filter((guid) => guid !== lower));
    bundle.close();
    expect(bundle.check()).toMatchObject({ strays: [], unfinished: [] });
  });
});
