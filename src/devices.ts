/** Devices that are no image, and whole transfers, for callers of either face. */
import { takeBuffer } from "./buffers.js";
import { isDevice, isReadable } from "./device/answers.js";
import type { BlockDevice, BlockDeviceSync } from "./device/block-device.js";
import { joinedVerbs } from "./device/joined.js";
import { rawVerbs } from "./device/raw.js";
import { asyncDevice, syncDevice } from "./device/verbs.js";
import * as transfer from "./medium/transfer.js";
import { quote } from "./printable.js";
import { requireRange } from "./requests.js";
import { runAsync, runSync } from "./run.js";
import { READING, requireVerbs } from "./storage/answers.js";
import type { Storage, StorageSync } from "./storage/storage.js";

/** The device of a storage that is a disk byte for byte. Closing it closes the storage. @throws TypeError; DiskError IO, BAD_STORAGE */
export async function rawDevice(storage: Storage): Promise<BlockDevice> {
  requireVerbs(storage, READING);
  return asyncDevice(await runAsync(rawVerbs(storage)));
}

/** `rawDevice` over a storage that answers at once. */
export function rawDeviceSync(storage: StorageSync): BlockDeviceSync {
  requireVerbs(storage, READING);
  return syncDevice(runSync(rawVerbs(storage)));
}

/** The device of several, one behind the other; it can do what all of them can. Closing it closes them. @throws TypeError */
export function joinDevices(devices: readonly BlockDevice[]): BlockDevice {
  requireDevices(devices);
  return asyncDevice(joinedVerbs(devices));
}

/** `joinDevices` of devices that answer at once. */
export function joinDevicesSync(devices: readonly BlockDeviceSync[]): BlockDeviceSync {
  requireDevices(devices);
  return syncDevice(joinedVerbs(devices));
}

function requireDevices(devices: readonly unknown[]): void {
  if (!Array.isArray(devices))
    throw new TypeError(`devices: expected an array of block devices, got ${quote(devices)}`);
  for (const device of devices)
    if (!isReadable(device) || !isDevice(device))
      throw new TypeError(`devices: expected block devices, got ${quote(device)}`);
}

/** Fills `buffer` from a storage, which may move fewer bytes than asked, again and again. @throws TypeError, RangeError; DiskError IO where it ends before */
export async function readFully(
  storage: Pick<Storage, "read" | "path">,
  buffer: Uint8Array,
  offset: number,
): Promise<void> {
  return runAsync(transfer.readFully(storage, taken(storage, "read", buffer, offset), offset));
}

/** `readFully` from a storage that answers at once. */
export function readFullySync(storage: Pick<StorageSync, "read" | "path">, buffer: Uint8Array, offset: number): void {
  runSync(transfer.readFully(storage, taken(storage, "read", buffer, offset), offset));
}

/** Writes all of `buffer` to a storage, likewise. @throws TypeError, RangeError; DiskError NO_SPACE where it takes nothing more */
export async function writeFully(
  storage: Pick<Storage, "write" | "path">,
  buffer: Uint8Array,
  offset: number,
): Promise<void> {
  return runAsync(transfer.writeFully(storage, taken(storage, "write", buffer, offset), offset));
}

/** `writeFully` to a storage that answers at once. */
export function writeFullySync(storage: Pick<StorageSync, "write" | "path">, buffer: Uint8Array, offset: number): void {
  runSync(transfer.writeFully(storage, taken(storage, "write", buffer, offset), offset));
}

/** The bytes of a transfer whose arguments are what they should be: two that changed places would move nothing, silently. */
function taken(storage: object, verb: "read" | "write", buffer: Uint8Array, offset: number): Uint8Array {
  requireVerbs(storage as Storage, [verb]);
  const bytes = takeBuffer(buffer);
  requireRange(Number.MAX_SAFE_INTEGER, offset, bytes.length);
  return bytes;
}
