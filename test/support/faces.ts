/** Both faces in one: tests await what either answers. */
import type { AnyDevice } from "../../src/device/block-device.js";
import { Disk } from "../../src/disk.js";
import { type CreateOptionsSync, DiskSync, type OpenOptionsSync } from "../../src/disk-sync.js";
import type { EngineKind } from "../../src/engine/engine.js";
import type { CreateOptions, OpenOptions } from "../../src/options.js";
import type { Storage, StorageSync } from "../../src/storage/storage.js";
import { thorough } from "./runs.js";

export type FaceKind = "async" | "sync";
export type AnyDisk = Disk | DiskSync;

export const faces: readonly FaceKind[] = ["async", "sync"];
export const engines: readonly EngineKind[] = ["wasm", "js"];
/** Every face with every engine, for describe.each. */
export const combinations = faces.flatMap((face) => engines.map((engine) => ({ face, engine })));

/** All of them where all is done, else each face and each engine once. */
export const fewCombinations = combinations.filter(
  ({ face, engine }) => thorough || (face === "async") === (engine === "wasm"),
);

/** Options whose base the face can read is the test's to see to. */
export type AnyBase = AnyDevice | Storage;

export async function openDisk(face: FaceKind, storage: Storage, options: OpenOptions = {}): Promise<AnyDisk> {
  if (face === "async") return Disk.open(storage, options);
  return DiskSync.open(storage as StorageSync, options as OpenOptionsSync);
}

export async function createDisk(face: FaceKind, storage: Storage, options: CreateOptions): Promise<AnyDisk> {
  if (face === "async") return Disk.create(storage, options);
  return DiskSync.create(storage as StorageSync, options as CreateOptionsSync);
}

/** Reads a range into a fresh buffer that was not zero before. */
export async function readRange(disk: AnyDisk, offset = 0, length = disk.size - offset): Promise<Uint8Array> {
  const buffer = new Uint8Array(length).fill(0xa5);
  await disk.read(buffer, offset);
  return buffer;
}
