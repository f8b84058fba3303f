/** Errors in one sentence that says what to do. */
import { DiskError, type DiskErrorCode } from "../../src/index.js";

type Say = (name: string, error: DiskError) => string;

const SENTENCES: Partial<Record<DiskErrorCode, Say>> = {
  NOT_PARALLELS: (name) =>
    `${name} is not a Parallels image: choose a .hds file, or a .hdd folder that holds one; "parablock convert" makes one from a raw disk.`,
  TRUNCATED: (name) => `${name} ends too early, as a file does that was not copied completely: copy it again.`,
  CONVERTING: (name) =>
    `${name} was left in the middle of a conversion: let the software that began it finish, or use a backup.`,
  IN_USE: (name) => `${name} is open in another tab: close it there, then open it again here.`,
  NO_SPACE: (name) =>
    `There is no room left for ${name}: this browser's share of the device is used up, so remove a disk you no longer need, or free space on the device.`,
  NO_MEMORY: (name) => `There is not enough memory for ${name}: close other disks, or other tabs.`,
  NOT_FOUND: (name) => `${name} is gone: choose it again.`,
  EXISTS: (name) => `There is a disk named ${name} already: choose another name.`,
  CHANGED: (name) => `${name} was changed since you chose it: choose it again.`,
  READ_ONLY: (name) => `${name} is open for reading only: copy it into this browser to change it.`,
  FLUSH_FAILED: (name) =>
    `The browser could not make the last changes to ${name} durable: close the disk, make room, and open it again.`,
  DISCONNECTED: () => "The worker that holds the disks has ended: reload the page.",
  PERMISSION: (name) =>
    `${name}: the browser denies access; allow this site to store data, and leave private browsing.`,
};

/** @param name what it was about, as a sentence would begin: "disk.hds", "The new disk" */
export function sentenceOf(error: unknown, name: string): string {
  if (error instanceof DiskError) return SENTENCES[error.code]?.(name, error) ?? closing(`${name}: ${error.message}`);
  return closing(error instanceof Error ? error.message : String(error));
}

function closing(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
