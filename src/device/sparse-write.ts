/** Bytes for a device that need not keep zeros: what is zero is made so the cheapest way that it has. */
import { counted } from "../count.js";
import { requestError } from "../errors.js";
import { call, type Operation } from "../operation.js";
import type { AnyDevice } from "./block-device.js";

/** Zeros are looked for in blocks of so many bytes: a page, and a block of a file that has holes. */
const GRAIN = 4096;

/** Stores bytes; runs of blocks that are zero go by `writeZeroes`, where the device has it. */
export function* writeSparsely(device: AnyDevice, bytes: Uint8Array<ArrayBuffer>, offset: number): Operation<void> {
  for (let at = 0; at < bytes.length; ) {
    const zero = device.writeZeroes !== undefined && isZero(block(bytes, at));
    let end = at + GRAIN;
    while (end < bytes.length && device.writeZeroes !== undefined && isZero(block(bytes, end)) === zero) end += GRAIN;
    if (device.writeZeroes === undefined) end = bytes.length;
    const run = bytes.subarray(at, end);
    try {
      if (zero) yield* call<void>(() => device.writeZeroes?.(offset + run.byteOffset - bytes.byteOffset, run.length));
      else yield* call<void>(() => device.write?.(run, offset + run.byteOffset - bytes.byteOffset));
    } catch (error) {
      throw requestError(`writing ${counted(run.length, "byte")} at ${offset + at}`, error);
    }
    at = end;
  }
}

const block = (bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> => bytes.subarray(at, at + GRAIN);

/** Whether bytes are all zero; mostly the first of them tells. */
export function isZero(bytes: Uint8Array<ArrayBuffer>): boolean {
  const words = bytes.byteOffset % 4 === 0 ? Math.floor(bytes.length / 4) : 0;
  const four = new Uint32Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset, words);
  for (let index = 0; index < words; index++) if (four[index] !== 0) return false;
  for (let index = 4 * words; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** Whether two runs of one length hold the same bytes. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}

/** Makes durable what a device was given. */
export function* flushDevice(device: AnyDevice): Operation<void> {
  try {
    yield* call<void>(() => device.flush?.());
  } catch (error) {
    throw requestError("flushing", error);
  }
}
