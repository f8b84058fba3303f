/** What holds for every request to a device: it lies on it, and the device is there. */
import { counted } from "./count.js";
import { DiskError } from "./errors.js";
import { quote } from "./printable.js";

/** Checks that a request lies on a device of `size` bytes. @throws RangeError */
export function requireRange(size: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new RangeError(`offset: expected an integer from 0 to ${size}, got ${quote(offset)}`);
  if (!Number.isSafeInteger(length) || length < 0)
    throw new RangeError(`length: expected a whole number of bytes, got ${quote(length)}`);
  if (offset + length > size) {
    throw new RangeError(
      `a request for ${counted(length, "byte")} at ${offset} passes the end of the disk, which has ${counted(size, "byte")}`,
    );
  }
}

/** Checks how many runs a caller wants to be told of. @throws RangeError */
export function requireLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new RangeError(`limit: expected a number of runs, at least 1, got ${quote(limit)}`);
}

export function readOnlyError(): DiskError {
  return new DiskError("READ_ONLY", "the disk is open for reading only: open it without readOnly to change it");
}

export function closedError(): DiskError {
  return new DiskError("CLOSED", "the disk is closed: open it again");
}
