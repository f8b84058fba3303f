/**
 * Locks between processes: many readers or one writer of a file.
 *
 * With native calls the locks are QEMU's own: OFD read locks on single bytes of the file, 100 + p for every
 * permission p in use and 200 + p for every one not shared. They end with the file descriptor. Without native calls
 * every holder has lock files (lock-files.ts), and sees the others' byte locks in /proc/locks; QEMU alone does not see
 * lock files. All of them are about the file itself, whatever name led to it. Each side first sets its locks and then looks for the other's, so of two that
 * come at once one may win or none, never both.
 */
import * as fs from "node:fs";
import { DiskError } from "../errors.js";
import type { Native } from "./libc.js";
import { type Access, type Announcement, announce, holders, type Place, placeOf } from "./lock-files.js";
import { native } from "./native.js";
import { findHolder, lockedRanges, processName } from "./processes.js";
import type { LockKind } from "./storage.js";

export interface FileLock {
  readonly kind: LockKind;
  /** Why it is not the system's. */
  readonly reason?: string;
  /** The file is to have another name. */
  moveTo(path: string): void;
  /** Ends the lock; system locks end with the descriptor. */
  release(): void;
}

/** For a file that was opened without a lock. */
export const noLock = (reason: string): FileLock => ({ kind: "none", reason, moveTo() {}, release() {} });
const SYSTEM_LOCK: FileLock = { kind: "system", moveTo() {}, release() {} };

/** QEMU's permissions: 0 consistent read, 1 write, 3 resize. */
const USED: Record<Access, readonly number[]> = { read: [0], write: [0, 1, 3] };
const NOT_SHARED = [1, 3] as const;
const USED_BASE = 100;
const NOT_SHARED_BASE = 200;

/** Locks an open file. @throws DiskError IN_USE, with the holder where that can be found */
export function lockFile(path: string, fd: number, access: Access): FileLock {
  const calls = native();
  const place = placeOf(fs.realpathSync(path), fd);
  const reason = typeof calls === "string" ? calls : lockBytes(calls, fd, access);
  const own = reason === undefined ? undefined : announce(place, access);
  const lock = reason === undefined ? SYSTEM_LOCK : own ? fileLock(own, reason) : noLock(NOWHERE);
  try {
    refuseByteLocks(path, fd, access, calls);
    refuseLockFiles(path, place, access, own);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

const NOWHERE = "no lock file can be made, neither beside the file nor in a folder for temporary files";

const fileLock = (own: Announcement, reason: string): FileLock => ({
  kind: "file",
  reason,
  moveTo: own.moveTo,
  release: own.remove,
});

/** Takes QEMU's locks; answers why that is not possible, or nothing where it is done. */
function lockBytes(calls: Native, fd: number, access: Access): string | undefined {
  const mine = [...USED[access].map((p) => USED_BASE + p), ...NOT_SHARED.map((p) => NOT_SHARED_BASE + p)];
  if (mine.every((byte) => calls.setReadLock(fd, byte, 1, true))) return undefined;
  return "the file system has no locks on bytes of a file";
}

function refuseByteLocks(path: string, fd: number, access: Access, calls: Native | string): void {
  const theirs = [...USED[access].map((p) => NOT_SHARED_BASE + p), ...NOT_SHARED.map((p) => USED_BASE + p)];
  const ranges = typeof calls === "string" ? lockedRanges(fd) : [];
  const isLocked = (byte: number) =>
    typeof calls === "string"
      ? ranges.some(({ first, last }) => first <= byte && byte <= last)
      : calls.isLocked(fd, byte);
  if (theirs.some(isLocked)) throw inUse(path, findHolder(fd), "close it there");
}

function refuseLockFiles(path: string, place: Place, access: Access, own: Announcement | undefined): void {
  const holder = holders(place).find(
    (other) => !own?.files.has(other.file) && (access === "write" || other.access === "write"),
  );
  if (holder === undefined) return;
  const { host, pid, file } = holder;
  // A process of this host is known to live; of another one only a person can tell.
  if (host === undefined) throw inUse(path, processName(pid), "close it there");
  throw inUse(path, `process ${pid} on ${host}`, `close it there, or remove ${file} if that process is gone`);
}

function inUse(path: string, holder: string, remedy: string): DiskError {
  return new DiskError("IN_USE", `${path} is in use by ${holder}: ${remedy}, or open it for reading with share`, {
    path,
    holder,
  });
}
