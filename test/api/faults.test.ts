/** Faults of QEMU that this library must not have; the numbers are those of the project's list of them. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { qemu, qemuCompare } from "../peers/qemu.js";
import { combinations, openDisk, readRange } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { FIELD, fieldOf, hostBytes, makeImage } from "../support/image.js";
import { testWith } from "../support/peers.js";
import { patternBytes } from "../support/random.js";

const path = temporaryFolder();
const TRACKS = 8;
const CLUSTER_SIZE = TRACKS * 512;
const IN_USE = 0x746f6e59;

const formats: Format[] = ["v1", "v2"];
const cases = combinations.flatMap((combination) => formats.map((format) => ({ ...combination, format })));

const joined = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

describe.each(cases)("A disk ($format, $face face, $engine engine)", ({ format, face, engine }) => {
  it("over a base copies the base's bytes into the new cluster, where it fills a hole of the file (1)", async () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, -1, 2, -1] });
    const baseBytes = patternBytes(1, 4 * CLUSTER_SIZE);
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine, base: new MemoryStorage(baseBytes) });
    await disk.write(new Uint8Array(10).fill(0xee), CLUSTER_SIZE + 1000);
    const status = await disk.status(CLUSTER_SIZE, CLUSTER_SIZE);
    const [first] = await disk.status(0, 1);
    expect(status).toMatchObject([
      { kind: "data", fileOffset: (first as { fileOffset: number }).fileOffset + CLUSTER_SIZE },
    ]);
    const expected = joined(
      hostBytes(0, TRACKS),
      baseBytes.subarray(CLUSTER_SIZE, 2 * CLUSTER_SIZE),
      hostBytes(2, TRACKS),
      baseBytes.subarray(3 * CLUSTER_SIZE),
    );
    expected.fill(0xee, CLUSTER_SIZE + 1000, CLUSTER_SIZE + 1010);
    expect(await readRange(disk)).toEqual(expected);
    await disk.close();
    expect(memory.toUint8Array().length).toBe(file.length);
    const reopened = await openDisk(face, copyOf(memory), { engine, base: new MemoryStorage(baseBytes) });
    expect(await readRange(reopened)).toEqual(expected);
  });

  it("that was not closed does not give out a cluster that is in use (2)", async () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, -1, 2, -1], header: { inUse: IN_USE } });
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine });
    expect(disk.info.unclean).toBe(true);
    await disk.write(patternBytes(5, 2 * CLUSTER_SIZE), 4 * CLUSTER_SIZE - 2 * CLUSTER_SIZE);
    await disk.write(patternBytes(6, CLUSTER_SIZE), 4 * CLUSTER_SIZE);
    const expected = joined(
      hostBytes(0, TRACKS),
      hostBytes(1, TRACKS),
      patternBytes(5, 2 * CLUSTER_SIZE),
      patternBytes(6, CLUSTER_SIZE),
    );
    expect(await readRange(disk)).toEqual(expected);
    await disk.close();
    const reopened = await openDisk(face, copyOf(memory), { engine });
    expect(reopened.info.findings).toEqual([]);
    expect(await readRange(reopened)).toEqual(expected);
  });

  it("that was not closed is taken over without another change", async () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, -1, 2], header: { inUse: IN_USE } });
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine });
    await disk.close();
    const expected = file.slice();
    new DataView(expected.buffer).setUint32(FIELD.inUse, 0, true);
    expect(memory.toUint8Array()).toEqual(expected);
  });

  it("that is flagged as empty reads as zeros whatever its BAT says (9)", async () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, -1, 2], header: { flags: 1 } });
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine });
    expect(disk.info.emptyFlag).toBe(true);
    expect(disk.allocatedBytes).toBe(0);
    expect(await readRange(disk)).toEqual(new Uint8Array(4 * CLUSTER_SIZE));
    expect(await disk.status()).toEqual([{ offset: 0, length: 4 * CLUSTER_SIZE, kind: "zero", layer: 0 }]);
    await disk.discard(0, disk.size);
    await disk.close();
    expect(memory.toUint8Array()).toEqual(file);
  });

  it("that is flagged as empty shows its base (9)", async () => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, -1, 2], header: { flags: 1 } });
    const base = new MemoryStorage(patternBytes(1, 4 * CLUSTER_SIZE));
    const disk = await openDisk(face, new MemoryStorage(file), { engine, base });
    expect(await readRange(disk)).toEqual(patternBytes(1, 4 * CLUSTER_SIZE));
  });

  const flagged = async (flags: number) => {
    const file = makeImage({ format, tracks: TRACKS, hosts: [0, 1, -1, 2], header: { flags } });
    const memory = new MemoryStorage(file);
    const disk = await openDisk(face, memory, { engine });
    await disk.write(new Uint8Array(700).fill(0xdd), CLUSTER_SIZE + 100);
    await disk.close();
    const expected = new Uint8Array(4 * CLUSTER_SIZE).fill(0xdd, CLUSTER_SIZE + 100, CLUSTER_SIZE + 800);
    return { file: memory.toUint8Array(), expected };
  };

  it("that is flagged as empty is no longer after the first write, and what its BAT said is gone (9)", async () => {
    const { file, expected } = await flagged(1);
    expect(fieldOf(file, FIELD.flags)).toBe(0);
    const disk = await openDisk(face, new MemoryStorage(file), { engine });
    expect(await readRange(disk)).toEqual(expected);
    expect(disk.allocatedBytes).toBe(CLUSTER_SIZE);
    expect(disk.info.findings).toEqual([]);
  });

  it("keeps the flags that it does not know", async () => {
    const { file } = await flagged(0x80000005);
    expect(fieldOf(file, FIELD.flags)).toBe(0x80000004);
  });

  testWith(qemu, "that is flagged as empty reads the same in QEMU once it was written to (9)", async () => {
    const { file, expected } = await flagged(1);
    writeFileSync(path("flagged.hds"), file);
    writeFileSync(path("flagged.raw"), expected);
    qemuCompare(path("flagged.hds"), path("flagged.raw"));
  });
});

/** Another storage with what one holds. */
const copyOf = (memory: MemoryStorage): MemoryStorage => new MemoryStorage(memory.toUint8Array());
