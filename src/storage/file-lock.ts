/**
 * Locks between processes: many readers or one writer of a file.
 *
 * With native calls the locks are QEMU's own: OFD read locks on single bytes of the file, 100 + p for every
 * permission p in use and 200 + p for every one not shared. Each side first sets its locks and then looks for the
 * other's, so of two that come at once one may win or none, never both. They end with the file descriptor.
 * Without native calls every holder has a file of its own beside the image that names its host and process; one
 * whose process is gone is taken away by the next to come.
 */
import * as fs from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { DiskError } from "../errors.js";
import { type Native, native } from "./native.js";

export type Access = "read" | "write";

/** How a file is locked: by the system, by a file beside it, or not at all. */
export type LockKind = "system" | "file" | "none";

export interface FileLock {
  readonly kind: LockKind;
  /** Ends the lock; system locks end with the descriptor. */
  release(): void;
}

export const NO_LOCK: FileLock = { kind: "none", release() {} };

/** QEMU's permissions: 0 consistent read, 1 write, 3 resize. */
const USED: Record<Access, readonly number[]> = { read: [0], write: [0, 1, 3] };
const NOT_SHARED = [1, 3] as const;
const USED_BASE = 100;
const NOT_SHARED_BASE = 200;

/** Locks an open file. @throws DiskError IN_USE, with the holder where that can be found */
export function lockFile(path: string, fd: number, access: Access): FileLock {
  const calls = native();
  const system = typeof calls !== "string" && lockBytes(calls, path, fd, access);
  const conflict = holders(path).find((holder) => access === "write" || holder.access === "write");
  if (conflict) throw inUse(path, describe(conflict), conflict.file);
  return system ? { kind: "system", release() {} } : lockByFile(path, access);
}

/** Takes QEMU's locks; false where the file system has none. */
function lockBytes(calls: Native, path: string, fd: number, access: Access): boolean {
  const mine = [...USED[access].map((p) => USED_BASE + p), ...NOT_SHARED.map((p) => NOT_SHARED_BASE + p)];
  const theirs = [...USED[access].map((p) => NOT_SHARED_BASE + p), ...NOT_SHARED.map((p) => USED_BASE + p)];
  if (!mine.every((byte) => calls.setReadLock(fd, byte, 1, true))) return false;
  if (theirs.some((byte) => calls.isLocked(fd, byte))) throw inUse(path, findHolder(fd));
  return true;
}

interface Holder {
  file: string;
  host: string;
  pid: number;
  access: Access;
}

let lockCount = 0;

/** Announces this process in a file of its own, then looks for others: as with byte locks, both may lose, never both win. */
function lockByFile(path: string, access: Access): FileLock {
  const own = `${path}.lock-${encodeURIComponent(hostname())}-${process.pid}-${lockCount++}-${access}`;
  try {
    fs.writeFileSync(own, `${JSON.stringify({ host: hostname(), pid: process.pid, access })}\n`, { flag: "wx" });
  } catch {
    return NO_LOCK; // a directory that cannot be written: others are respected, but not told
  }
  const release = () => fs.rmSync(own, { force: true });
  const conflict = holders(path).find(
    ({ file, ...other }) => file !== own && (access === "write" || other.access === "write"),
  );
  if (conflict === undefined) return { kind: "file", release };
  release();
  throw inUse(path, describe(conflict), conflict.file);
}

/** The holders that lock files beside an image name; those whose process is gone are removed. */
function holders(path: string): Holder[] {
  const directory = dirname(path);
  const prefix = `${basename(path)}.lock-`;
  return listDirectory(directory)
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => {
      const parts = /^(.+)-(\d+)-\d+-(read|write)$/.exec(name.slice(prefix.length));
      if (parts === null) return [];
      const holder = {
        file: join(directory, name),
        host: decodeURIComponent(parts[1]!),
        pid: Number(parts[2]),
        access: parts[3] as Access,
      };
      if (isAlive(holder)) return [holder];
      fs.rmSync(holder.file, { force: true });
      return [];
    });
}

function listDirectory(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

function isAlive({ host, pid }: Holder): boolean {
  if (host !== hostname()) return true; // not for us to know
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function describe({ host, pid }: Holder): string {
  if (host !== hostname()) return `process ${pid} on ${host}`;
  return pid === process.pid ? "this process" : `process ${pid}`;
}

/** Who has locks on the file behind a descriptor, as far as /proc shows it. */
function findHolder(fd: number): string {
  const { dev, ino } = fs.fstatSync(fd);
  for (const pid of listDirectory("/proc").filter((name) => /^\d+$/.test(name))) {
    const own = Number(pid) === process.pid;
    const holds = listDirectory(`/proc/${pid}/fd`).some(
      (name) => !(own && Number(name) === fd) && hasLock(pid, name, dev, ino),
    );
    if (holds) return own ? "this process" : `process ${pid}${programOf(pid)}`;
  }
  return "another process";
}

function hasLock(pid: string, fd: string, dev: number, ino: number): boolean {
  try {
    const stat = fs.statSync(`/proc/${pid}/fd/${fd}`);
    return (
      stat.dev === dev && stat.ino === ino && fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8").includes("lock:")
    );
  } catch {
    return false; // gone meanwhile, or not ours to see
  }
}

function programOf(pid: string): string {
  try {
    return ` (${fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim()})`;
  } catch {
    return "";
  }
}

function inUse(path: string, holder: string, file?: string): DiskError {
  // A process of this host is known to live; of another one only a person can tell.
  const foreign = file !== undefined && holder.includes(" on ");
  const remedy = foreign ? `close it there, or remove ${file} if that is gone` : "close it there";
  return new DiskError("IN_USE", `${path} is in use by ${holder}: ${remedy}, or open it for reading with share`, {
    path,
    holder,
  });
}
