/** What must hold of any file that calls itself an image, however it came to be. */
import { expect } from "vitest";
import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { expectSame } from "../model/world.js";
import { type AnyDisk, type FaceKind, openDisk, readRange } from "../support/faces.js";
import { FIELD, fieldOf } from "../support/image.js";
import { patternBytes } from "../support/random.js";
import { UntouchableStorage } from "../support/storages.js";

/** Clusters larger than this are read in part. */
const MOST = 8192;

/** The error that opening throws, or undefined where it opens. Anything but a DiskError or a RangeError fails the test. */
export async function openError(open: () => Promise<AnyDisk>): Promise<DiskError | RangeError | undefined> {
  try {
    await (await open()).abandon();
    return undefined;
  } catch (error) {
    if (error instanceof DiskError || error instanceof RangeError) return error;
    throw error;
  }
}

/** Opens a file for reading, reads of it what can be read, and compares that with where its BAT leads. */
export async function examine(file: Uint8Array, face: FaceKind, engine: EngineKind): Promise<void> {
  const storage = new UntouchableStorage(new MemoryStorage(file));
  const error = await openError(() => openDisk(face, storage, { engine, readOnly: true }));
  expect(storage.closed).toBe(1);
  if (error !== undefined) return expectNamed(error);
  const disk = await openDisk(face, new UntouchableStorage(new MemoryStorage(file)), { engine, readOnly: true });
  const clusterCount = Math.ceil(disk.size / disk.clusterSize);
  const last = Math.max(0, clusterCount - 2);
  for (let cluster = 0; cluster < Math.min(clusterCount, 40); cluster++) await examineCluster(disk, file, cluster);
  for (let cluster = last; cluster < clusterCount; cluster++) await examineCluster(disk, file, cluster);
  await disk.status();
  await disk.check();
  await disk.flush();
  await disk.close();
}

async function examineCluster(disk: AnyDisk, file: Uint8Array, cluster: number): Promise<void> {
  const offset = cluster * disk.clusterSize;
  const length = Math.min(disk.clusterSize, MOST, disk.size - offset);
  const mapped = cluster < fieldOf(file, FIELD.batEntries) && (fieldOf(file, FIELD.flags) & 1) === 0;
  const entry = mapped ? fieldOf(file, 64 + 4 * cluster) : 0;
  const fileOffset = entry * (disk.format === "v1" ? 512 : disk.clusterSize);
  const inside = fileOffset >= disk.info.dataOffset && fileOffset + length <= file.length;
  if (entry !== 0 && !inside) {
    await expect(readRange(disk, offset, length)).rejects.toMatchObject({ code: "BAD_ENTRY", details: { cluster } });
    return;
  }
  const expected = entry === 0 ? new Uint8Array(length) : file.subarray(fileOffset, fileOffset + length);
  expectSame(await readRange(disk, offset, length), expected, offset);
}

/** Opens a file for writing; where that is allowed, writes to it, and finds every other byte as it was. */
export async function writeTo(file: Uint8Array, face: FaceKind, engine: EngineKind): Promise<void> {
  const error = await openError(() => openDisk(face, new MemoryStorage(file), { engine }));
  if (error !== undefined) return expectNamed(error);
  const memory = new MemoryStorage(file);
  const disk = await openDisk(face, memory, { engine });
  // What is too large to be written in a test was opened, at least.
  if (disk.size > 2 ** 24 || disk.clusterSize > 2 ** 16 || disk.info.dataOffset > 2 ** 24) return disk.abandon();
  const content = await readRange(disk);
  const bytes = patternBytes(1, Math.min(disk.size, 3 * disk.clusterSize));
  const offset = Math.floor((disk.size - bytes.length) / 2);
  await disk.write(bytes, offset);
  content.set(bytes, offset);
  expectSame(await readRange(disk), content, 0);
  await disk.close();
  const reopened = await openDisk(face, new MemoryStorage(memory.toUint8Array()), { engine });
  expectSame(await readRange(reopened), content, 0);
  if (bytes.length > 0) expect(reopened.info.findings).toEqual([]);
  await reopened.close();
}

/** A named error says something to a person. */
function expectNamed(error: DiskError | RangeError): void {
  expect(error.message.length).toBeGreaterThan(20);
}
