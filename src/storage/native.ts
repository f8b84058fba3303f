/**
 * What Node lacks and Linux has: fallocate, hole punching, SEEK_DATA and OFD locks, called through koffi (optional).
 * Loaded on first use; where koffi or Linux is missing `native` answers why.
 */
import { findKoffi, provideKoffi } from "./koffi.js";
import { bindCalls, callNames } from "./libc.js";
import type { DataRange } from "./storage.js";

export interface Native {
  /** Makes blocks for the range; the file grows. */
  allocate(fd: number, offset: number, length: number): void;
  /** Gives the range's blocks back; the size stays. */
  punch(fd: number, offset: number, length: number): void;
  /** The next run of bytes at or after `offset` that is not a hole, or undefined if only a hole follows. */
  nextData(fd: number, offset: number): DataRange | undefined;
  /** Sets or clears an OFD read lock on bytes of the file; answers whether the system could. */
  setReadLock(fd: number, first: number, length: number, on: boolean): boolean;
  /** Whether an OFD write lock on the byte would meet somebody else's lock. */
  isLocked(fd: number, byte: number): boolean;
}

let loaded: Native | string | undefined;

/** The native calls, or one line that says why there are none. */
export function native(): Native | string {
  loaded ??= load();
  return loaded;
}

/** Whether files are preallocated, punched and locked by the system's own calls here: true, or one line that says why not. */
export function nativeCalls(): true | string {
  const calls = native();
  return typeof calls === "string" ? calls : true;
}

/**
 * Makes the native calls by this module `koffi`: for programs whose bundler does not leave it where it is found
 * (`disk.info.lock` says "system" where it is). Call it before a file is opened. @throws TypeError
 */
export function useKoffi(koffi: object): void {
  provideKoffi(koffi);
  loaded = undefined;
}

function load(): Native | string {
  const names = callNames(process.platform, process.arch);
  if (typeof names === "string") return names;
  if (process.env.PARABLOCK_NO_NATIVE) return "switched off by PARABLOCK_NO_NATIVE";
  const koffi = findKoffi();
  if (typeof koffi === "string") return koffi;
  try {
    return bindCalls(koffi, names);
  } catch (error) {
    return `koffi does not work here: ${(error as Error).message}`;
  }
}
