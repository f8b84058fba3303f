/**
 * What Node lacks and Linux has: fallocate, hole punching, SEEK_DATA, OFD locks, reads of what is cached, write-back; called
 * through koffi (optional). Loaded on first use; where koffi or Linux is missing `native` answers why.
 */
import { findKoffi, provideKoffi } from "./koffi.js";
import { bindCalls, callNames, type Native } from "./libc.js";

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
