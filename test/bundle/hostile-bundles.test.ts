/** Bundles whose files were changed at random: every verb ends, with an error of ours or well, and what it leaves opens as before. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DESCRIPTOR, damage, makeBundle } from "../../fuzz/almost-bundles.js";
import { BundleSync } from "../../src/bundle.js";
import { DiskError } from "../../src/index.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { engines } from "../support/faces.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";

const SECTOR = 512;

/** Does something; anything but an error of ours is a fault. */
function tries<T>(verb: () => T): T | undefined {
  try {
    return verb();
  } catch (error) {
    if (error instanceof DiskError) return undefined;
    throw error;
  }
}

const VERBS = ["write", "snapshot", "delete", "switch", "check", "repair", "reopen"] as const;

function useAll(folder: MemoryFolder, random: Random, engine: "wasm" | "js"): void {
  let bundle = tries(() => BundleSync.open(folder, { engine }));
  for (let step = 0; step < 6 && bundle !== undefined; step++) {
    const open = bundle;
    const verb = VERBS[below(random, VERBS.length)];
    const { guid } = open.snapshots[below(random, open.snapshots.length)];
    if (verb === "snapshot") tries(() => open.createSnapshot());
    else if (verb === "delete") tries(() => open.deleteSnapshot(guid));
    else if (verb === "switch") tries(() => open.switchSnapshot(guid));
    else if (verb === "check") tries(() => open.check());
    else if (verb === "repair") tries(() => open.repair(random() < 0.5 ? "all" : "leaks"));
    else if (verb === "write") useDisk(open, random);
    for (const snapshot of open.snapshots) readAll(open, snapshot.guid);
    if (verb !== "reopen") continue;
    tries(() => open.close());
    bundle = tries(() => BundleSync.open(folder, { engine }));
  }
  const last = bundle;
  if (last !== undefined) tries(() => last.close());
}

function useDisk(bundle: BundleSync, random: Random): void {
  const disk = tries(() => bundle.openDisk());
  if (disk === undefined) return;
  for (let count = 0; count < 3; count++) {
    const offset = below(random, disk.size);
    tries(() => disk.write(new Uint8Array(Math.min(1500, disk.size - offset)).fill(7), offset));
  }
  try {
    disk.close();
  } catch (error) {
    expect(error).toBeInstanceOf(DiskError);
    disk.abandon();
  }
}

function readAll(bundle: BundleSync, snapshot: string): void {
  const disk = tries(() => bundle.openDisk({ snapshot, readOnly: true }));
  if (disk === undefined) return;
  const size = Math.min(disk.size, 2 ** 20);
  for (let offset = 0; offset < size; offset += 4 * SECTOR)
    tries(() => disk.read(new Uint8Array(Math.min(SECTOR, size - offset)), offset));
  tries(() => disk.status());
  tries(() => disk.close());
}

describe.each(engines)("A bundle of damaged files (%s)", (engine) => {
  it("is read, changed and repaired, or refused, by errors of ours alone", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomFrom(seed);
        const folder = makeBundle(random);
        damage(folder, random);
        useAll(folder, random, engine);
        // Nobody holds a file: each can be had for writing.
        for (const name of folder.list()) folder.open(name).close();
      }),
      runs(1500, 25),
    );
  });
});

describe("A bundle as others may have made it", () => {
  const edited = (edit: (text: string) => string): { folder: MemoryFolder; content: Uint8Array } => {
    const folder = new MemoryFolder();
    const bundle = BundleSync.create(folder, { size: 64 * SECTOR, clusterSize: 4 * SECTOR });
    const disk = bundle.openDisk();
    disk.write(patternBytes(1, 30 * SECTOR), 0);
    bundle.createSnapshot();
    disk.write(patternBytes(2, 9 * SECTOR), 7 * SECTOR);
    const content = new Uint8Array(64 * SECTOR);
    disk.read(content, 0);
    bundle.close();
    const text = new TextDecoder().decode(folder.contentOf(DESCRIPTOR));
    folder.put(DESCRIPTOR, new TextEncoder().encode(edit(text)));
    return { folder, content };
  };

  it("may have images that are larger than their storage: what lies beyond is no part of the disk", () => {
    const { folder, content } = edited((text) =>
      text.replace("<Disk_size>64<", "<Disk_size>50<").replace("<End>64<", "<End>50<"),
    );
    const bundle = BundleSync.open(folder);
    const disk = bundle.openDisk();
    expect(disk.size).toBe(50 * SECTOR);
    const read = new Uint8Array(50 * SECTOR);
    disk.read(read, 0);
    expect(Buffer.compare(read, content.subarray(0, 50 * SECTOR))).toBe(0);
    expect(() => disk.read(new Uint8Array(SECTOR), 50 * SECTOR)).toThrow(RangeError);
    const guid = bundle.createSnapshot();
    disk.write(new Uint8Array(50 * SECTOR).fill(9), 0);
    bundle.switchSnapshot(guid);
    disk.read(read, 0);
    expect(Buffer.compare(read, content.subarray(0, 50 * SECTOR))).toBe(0);
    bundle.close();
  });

  it("may have a snapshot that was not closed cleanly, and names of GUIDs in any case", () => {
    const { folder, content } = edited((text) =>
      text.replaceAll(/<GUID>\{([^}]*)\}/g, (_, guid) => `<GUID>${guid.toUpperCase()}`),
    );
    for (const name of folder.list().filter((one) => one.endsWith(".hds"))) {
      const bytes = folder.contentOf(name);
      new DataView(bytes.buffer).setUint32(44, 0x746f6e59, true);
      folder.put(name, bytes);
    }
    const bundle = BundleSync.open(folder);
    const disk = bundle.openDisk();
    const read = new Uint8Array(disk.size);
    disk.read(read, 0);
    expect(Buffer.compare(read, content)).toBe(0);
    bundle.close();
  });
});
