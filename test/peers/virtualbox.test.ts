import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { encodeHeader } from "../../src/format/header.js";
import { FileStorageSync } from "../../src/storage/file.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { expectSame } from "../model/world.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { testWith } from "../support/peers.js";
import { patternBytes } from "../support/random.js";
import { qemu, qemuCompare } from "./qemu.js";

const path = temporaryFolder();

const TRACKS = 63;
const CLUSTER_SIZE = TRACKS * 512;

interface Made {
  file: Uint8Array;
  content: Uint8Array;
  /** The sector of the first cluster. */
  start: number;
}

/** An image as VirtualBox writes it: v1, 63-sector clusters, data_off 0, data a whole sector after a BAT that fills its last one. */
function make(batEntries: number, allocated: readonly number[]): Made {
  const start = Math.floor((64 + 4 * batEntries) / 512) + 1;
  const content = new Uint8Array(batEntries * CLUSTER_SIZE - 5 * 512);
  const file = new Uint8Array((start + allocated.length * TRACKS) * 512);
  const bat = new Uint32Array(batEntries);
  for (const [host, guest] of allocated.entries()) {
    const bytes = patternBytes(guest, CLUSTER_SIZE);
    bat[guest] = start + host * TRACKS;
    file.set(bytes, bat[guest] * 512);
    content.set(bytes.subarray(0, content.length - guest * CLUSTER_SIZE), guest * CLUSTER_SIZE);
  }
  const header = encodeHeader({
    format: "v1",
    heads: 16,
    cylinders: 100,
    tracks: TRACKS,
    batEntries,
    sectorCount: content.length / 512,
    inUse: 0,
    dataOffset: 0,
    flags: 0,
    extensionOffset: 0,
  });
  file.set(header);
  file.set(new Uint8Array(bat.buffer), 64);
  return { file, content, start };
}

/** 112 entries end exactly on a sector boundary, the others do not. */
const shapes = [
  { batEntries: 112, allocated: [3, 4, 0, 111] },
  { batEntries: 240, allocated: [239] },
  { batEntries: 100, allocated: [7, 99] },
  { batEntries: 112, allocated: [] },
];

const cases = shapes.flatMap((shape) => combinations.map((combination) => ({ ...shape, ...combination })));

describe.each(cases)(
  "A VirtualBox image of $batEntries entries with $allocated allocated ($face face, $engine engine)",
  ({ batEntries, allocated, face, engine }) => {
    it("is read right and has nothing wrong", async () => {
      const { file, content } = make(batEntries, allocated);
      const disk = await openDisk(face, new MemoryStorage(file), { engine });
      // Without data the additional sector is all that lies behind the BAT: a leak of less than a cluster.
      const { findings } = await disk.check();
      expect(findings.map(({ kind }) => kind)).toEqual(allocated.length > 0 ? [] : ["leakedTail"]);
      expectSame(await readRange(disk), content, 0);
      await disk.close();
    });

    it("is appended to in its own phase, and read again", async () => {
      const { file, content, start } = make(batEntries, allocated);
      const memory = new MemoryStorage(file);
      const disk = await openDisk(face, memory, { engine });
      const bytes = patternBytes(99, 3 * CLUSTER_SIZE);
      await disk.write(bytes, 2 * CLUSTER_SIZE + 77);
      content.set(bytes, 2 * CLUSTER_SIZE + 77);
      await disk.discard(7 * CLUSTER_SIZE, CLUSTER_SIZE);
      content.fill(0, 7 * CLUSTER_SIZE, 8 * CLUSTER_SIZE);
      await disk.close();
      const written = memory.toUint8Array();
      const bat = new Uint32Array(written.slice(64, 64 + 4 * batEntries).buffer);
      const phase = allocated.length > 0 ? start : Math.ceil((64 + 4 * batEntries) / 512);
      expect(bat.filter((entry) => entry !== 0).every((entry) => (entry - phase) % TRACKS === 0)).toBe(true);
      expect(new Uint32Array(written.slice(48, 52).buffer)[0]).toBe(0);
      const reopened = await openDisk(face, new MemoryStorage(written), { engine });
      expect((await reopened.check()).findings).toEqual([]);
      expectSame(await readRange(reopened), content, 0);
    });

    testWith(qemu, "reads the same in QEMU, before and after", async () => {
      const { file, content } = make(batEntries, allocated);
      const [image, raw] = [path("virtualbox.hdd"), path("virtualbox.raw")];
      writeFileSync(image, file);
      writeFileSync(raw, content);
      qemuCompare(image, raw);
      const disk = await openDisk(face, FileStorageSync.open(image), { engine });
      const bytes = patternBytes(5, CLUSTER_SIZE + 99);
      await disk.write(bytes, 50 * CLUSTER_SIZE - 9);
      await disk.close();
      content.set(bytes, 50 * CLUSTER_SIZE - 9);
      writeFileSync(raw, content);
      qemuCompare(image, raw);
      expect(readFileSync(image).length % 512).toBe(0);
    });
  },
);
