/**
 * Standard streams that were closed when the process began (`>&-`). Node opens /dev/null in their place before any
 * of our code runs, so that writing there succeeds and delivers nothing, and reading there finds an empty input.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

const SHELLS = /^(ba|da|a|z|k|mk|pdk|ya|fi|tc|c)?sh$|^busybox$/;

/**
 * Whether standard input (0) or output (1) was closed. What Node opens is told from what somebody threw away on
 * purpose: it is open for reading and writing, which a shell's `>/dev/null` is not; and who began us does not have it
 * so (then it was inherited), and is a shell (other programs open /dev/null as Node does) or has none. Linux only.
 */
export function wasClosed(fd: 0 | 1): boolean {
  try {
    const parent = `/proc/${process.ppid}`;
    if (!isNullForBoth("/proc/self", fd)) return false;
    if (!readdirSync(`${parent}/fd`).includes(`${fd}`)) return true;
    return !isNullForBoth(parent, fd) && SHELLS.test(basename(readlinkSync(`${parent}/exe`)));
  } catch {
    return false; // another system, or a process of somebody else
  }
}

/** Whether a process has /dev/null there, open for reading and writing. */
function isNullForBoth(process: string, fd: number): boolean {
  if (readlinkSync(`${process}/fd/${fd}`) !== "/dev/null") return false;
  return /^flags:\s*\d*2$/m.test(readFileSync(`${process}/fdinfo/${fd}`, "utf8"));
}
