/**
 * What Node lacks and Linux has: fallocate, hole punching, SEEK_DATA and OFD locks, called through koffi (optional).
 * Loaded on first use; where koffi or Linux is missing `native` answers why.
 */
import { createRequire } from "node:module";
import { constants } from "node:os";
import { DiskError } from "../errors.js";
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

const FALLOC_KEEP_SIZE = 1;
const FALLOC_PUNCH_HOLE = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const SEEK_SET = 0;

let loaded: Native | string | undefined;

/** The native calls, or one line that says why there are none. */
export function native(): Native | string {
  loaded ??= load();
  return loaded;
}

function load(): Native | string {
  if (process.platform !== "linux") return `not available on ${process.platform}`;
  if (process.env.PARABLOCK_NO_NATIVE) return "switched off by PARABLOCK_NO_NATIVE";
  try {
    return bind(createRequire(import.meta.url)("koffi"));
  } catch (error) {
    const missing = (error as { code?: string }).code === "MODULE_NOT_FOUND";
    return missing
      ? "the optional package koffi is not installed"
      : `koffi does not work here: ${(error as Error).message}`;
  }
}

type Koffi = typeof import("koffi");

interface FlockStruct {
  l_type: number;
  l_whence: number;
  l_start: number;
  l_len: number;
  l_pid: number;
}

function bind(koffi: Koffi): Native {
  const libc = koffi.load(null);
  koffi.struct("parablock_flock", {
    l_type: "short",
    l_whence: "short",
    l_start: "int64",
    l_len: "int64",
    l_pid: "int",
  });
  const fallocate = libc.func("int fallocate(int fd, int mode, int64 offset, int64 length)");
  const lseek = libc.func("int64 lseek(int fd, int64 offset, int whence)");
  const fcntl = libc.func("int fcntl(int fd, int command, _Inout_ parablock_flock *lock)");
  const fail = (name: string) => systemError(koffi.errno(), name);
  const lock = (type: number, first: number, length: number): FlockStruct => ({
    l_type: type,
    l_whence: SEEK_SET,
    l_start: first,
    l_len: length,
    l_pid: 0,
  });
  return {
    allocate(fd, offset, length) {
      if (fallocate(fd, 0, offset, length) !== 0) throw fail("fallocate");
    },
    punch(fd, offset, length) {
      if (fallocate(fd, FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE, offset, length) !== 0) throw fail("fallocate");
    },
    nextData(fd, offset) {
      const start = Number(lseek(fd, offset, SEEK_DATA));
      if (start < 0 && koffi.errno() === constants.errno.ENXIO) return undefined;
      const end = start < 0 ? -1 : Number(lseek(fd, start, SEEK_HOLE));
      if (end < 0) throw fail("lseek");
      return { start, end };
    },
    setReadLock: (fd, first, length, on) => fcntl(fd, F_OFD_SETLK, lock(on ? F_RDLCK : F_UNLCK, first, length)) === 0,
    isLocked(fd, byte) {
      const probe = lock(F_WRLCK, byte, 1);
      return fcntl(fd, F_OFD_GETLK, probe) === 0 && probe.l_type !== F_UNLCK;
    },
  };
}

const UNSUPPORTED = new Set([constants.errno.EOPNOTSUPP, constants.errno.ENOSYS, constants.errno.EINVAL]);

function systemError(errno: number, call: string): Error {
  const code = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
  if (UNSUPPORTED.has(errno)) return new DiskError("UNSUPPORTED", `the file system does not support ${call} (${code})`);
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call });
}
