/**
 * The C library's calls as koffi makes them. Offsets are 64 bits wide everywhere: on 32-bit systems the plain names
 * take 32 bits and would take the half of an offset for another argument, so there it is the names for large files or
 * none. (Of a 32-bit musl the plain names would do; it cannot be told from one where they would not.)
 */
import { constants } from "node:os";
import { DiskError } from "../errors.js";
import type { Koffi } from "./koffi.js";
import type { DataRange } from "./storage.js";

export interface Native {
  /** Makes blocks for the range; the file grows. */
  allocate(fd: number, offset: number, length: number): void;
  /** Gives the range's blocks back; the size stays. */
  punch(fd: number, offset: number, length: number): void;
  /** The next run of bytes at or after `offset` that is not a hole, or undefined if only a hole follows. */
  nextData(fd: number, offset: number): DataRange | undefined;
  /** Reads what is in memory already; answers how many bytes that were, or undefined where it would have to be waited for. */
  readCached(fd: number, buffer: Uint8Array, offset: number): number | undefined;
  /** Begins to write what memory holds of the file, in a thread of the pool; `done` gets what failed. */
  writeBack(fd: number, done: (error: Error | null) => void): void;
  /** Sets or clears an OFD read lock on bytes of the file; answers whether the system could. */
  setReadLock(fd: number, first: number, length: number, on: boolean): boolean;
  /** Whether an OFD write lock on the byte would meet somebody else's lock. */
  isLocked(fd: number, byte: number): boolean;
}

export interface CallNames {
  fallocate: string;
  lseek: string;
  fcntl: string;
  /** One that older C libraries lack. */
  preadv2: string;
}

const PLAIN: CallNames = { fallocate: "fallocate", lseek: "lseek", fcntl: "fcntl", preadv2: "preadv2" };
const LARGE_FILES: CallNames = {
  fallocate: "fallocate64",
  lseek: "lseek64",
  fcntl: "fcntl64",
  preadv2: "preadv64v2",
};
const WIDE = new Set(["x64", "arm64", "riscv64", "loong64", "ppc64", "s390x"]);
const NARROW = new Set(["ia32", "arm"]);

/** What the calls with 64-bit offsets are called; a string says why there are none. */
export function callNames(platform: string, arch: string): CallNames | string {
  if (platform !== "linux") return `not available on ${platform}`;
  if (WIDE.has(arch)) return PLAIN;
  return NARROW.has(arch) ? LARGE_FILES : `not available on Linux for ${arch}`;
}

const FALLOC_KEEP_SIZE = 1;
const FALLOC_PUNCH_HOLE = 2;
const SYNC_FILE_RANGE_WRITE = 2;
const RWF_NOWAIT = 8;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const SEEK_SET = 0;

/** struct flock, of 64-bit offsets. */
interface FileLock {
  l_type: number;
  l_whence: number;
  l_start: number;
  l_len: number;
  l_pid: number;
}

const lockOf = (type: number, first: number, length: number): FileLock => ({
  l_type: type,
  l_whence: SEEK_SET,
  l_start: first,
  l_len: length,
  l_pid: 0,
});

/** @throws Error where the C library lacks one of the names */
export function bindCalls(koffi: Koffi, names: CallNames): Native {
  const libc = koffi.load(null);
  // Without a name: a second copy of this library in the process would find it taken.
  const flock = koffi.struct({ l_type: "short", l_whence: "short", l_start: "int64", l_len: "int64", l_pid: "int" });
  const fallocate = libc.func(names.fallocate, "int", ["int", "int", "int64", "int64"]);
  const lseek = libc.func(names.lseek, "int64", ["int", "int64", "int"]);
  const fcntl = libc.func(names.fcntl, "int", ["int", "int", koffi.inout(koffi.pointer(flock))]);
  const syncFileRange = libc.func("sync_file_range", "int", ["int", "int64", "int64", "uint"]); // has one width everywhere
  const fail = (name: string) => systemError(koffi.errno(), name);
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
    readCached: bindReadCached(koffi, libc, names),
    writeBack: (fd, done) => syncFileRange.async(fd, 0, 0, SYNC_FILE_RANGE_WRITE, done),
    setReadLock: (fd, first, length, on) => fcntl(fd, F_OFD_SETLK, lockOf(on ? F_RDLCK : F_UNLCK, first, length)) === 0,
    isLocked(fd, byte) {
      const probe = lockOf(F_WRLCK, byte, 1);
      return fcntl(fd, F_OFD_GETLK, probe) === 0 && probe.l_type !== F_UNLCK;
    },
  };
}

function bindReadCached(
  koffi: Koffi,
  libc: ReturnType<Koffi["load"]>,
  { preadv2: name }: CallNames,
): Native["readCached"] {
  const iovec = koffi.struct({ iov_base: "void *", iov_len: "size_t" });
  let preadv2: (...args: unknown[]) => number;
  try {
    preadv2 = libc.func(name, "long", ["int", koffi.pointer(iovec), "int", "int64", "int"]);
  } catch {
    return () => undefined;
  }
  return (fd, buffer, offset) => {
    const got = preadv2(fd, { iov_base: buffer, iov_len: buffer.length }, 1, offset, RWF_NOWAIT);
    return got < 0 ? undefined : got; // whatever fails here, the read that follows tells of
  };
}

const UNSUPPORTED = new Set([constants.errno.EOPNOTSUPP, constants.errno.ENOSYS, constants.errno.EINVAL]);

function systemError(errno: number, call: string): Error {
  const code = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
  if (UNSUPPORTED.has(errno)) return new DiskError("UNSUPPORTED", `the file system does not support ${call} (${code})`);
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call });
}
