/**
 * Where memory is short. It is no caller's mistake: whoever asks for tables that do not fit gets a DiskError, whatever the
 * platform throws.
 */
import { counted } from "../count.js";
import { DiskError, reasonOf } from "../errors.js";

export function noMemory(purpose: string, cause?: unknown): DiskError {
  const reason = cause === undefined ? "" : ` (${reasonOf(cause)})`;
  return new DiskError(
    "NO_MEMORY",
    `there is not enough memory for ${purpose}${reason}: close other disks, or raise the limit of the process`,
    {},
    cause,
  );
}

export function isNoMemory(error: unknown): error is DiskError {
  return error instanceof DiskError && error.code === "NO_MEMORY";
}

/** Makes something that takes memory of the platform. @throws DiskError NO_MEMORY where that has none left */
export function withMemory<T>(purpose: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw noMemory(purpose, cause);
  }
}

export const BITMAP = "the bitmap of used clusters";

export function batOf(entryCount: number): string {
  return `a BAT of ${counted(entryCount, "entry", "entries")}`;
}

export function ownersOf(clusterCount: number): string {
  return `the owners of ${counted(clusterCount, "cluster")}`;
}

export function bufferOf(size: number): string {
  return `a buffer of ${counted(size, "byte")}`;
}

export function bitsOf(bitCount: number): string {
  return `a bitmap of ${counted(bitCount, "bit")}`;
}
