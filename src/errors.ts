/** The errors of Parablock. Caller mistakes are TypeError or RangeError; everything else is a DiskError with a code. */
import { oneLine, quote, shownMessage } from "./printable.js";

/** What went wrong, for programs; the message says it for people. */
export type DiskErrorCode =
  /** The bytes are not a Parallels expandable image. */
  | "NOT_PARALLELS"
  /** A header field has a value that no valid image has. */
  | "BAD_HEADER"
  /** The file ends before the header or the BAT does. */
  | "TRUNCATED"
  /**
   * A size or offset is beyond what the format, exact JavaScript numbers or a limit that was set reach; or a repair would
   * make the file grow beyond what its data can need.
   */
  | "TOO_LARGE"
  /** A format conversion is under way, or was when the image was left: only the software that began it can finish. */
  | "CONVERTING"
  /** The image has corruption and was opened for writing; `details.findings` lists it. */
  | "CORRUPT"
  /** A cluster's BAT entry leads outside the data area of the file. */
  | "BAD_ENTRY"
  /** A dirty bitmap may have missed changes, and was not to be trusted all the same. */
  | "STALE"
  /** The descriptor of a bundle (`DiskDescriptor.xml`) describes no disk; the message names what is wrong in it. */
  | "BAD_BUNDLE"
  /** The image needs something this version does not do. */
  | "UNSUPPORTED"
  /** A change was asked of a disk that is open for reading only. */
  | "READ_ONLY"
  /** The disk or storage is closed. */
  | "CLOSED"
  /** The storage failed; `cause` is its error. */
  | "IO"
  /** The storage answered what no storage may: a wrong number of bytes, say. Nothing of that request counts as done. */
  | "BAD_STORAGE"
  /** No space is left: on the device, under a quota, or in the format's 32-bit entries. */
  | "NO_SPACE"
  /** Not enough memory is left for what a disk keeps there, or for WebAssembly where that was asked for by name. */
  | "NO_MEMORY"
  /** An earlier flush failed, so nothing since the last good one is known to be durable; reopen the disk. */
  | "FLUSH_FAILED"
  /** No such file. */
  | "NOT_FOUND"
  /** The file exists already and was not to be overwritten. */
  | "EXISTS"
  /** The path names a directory. */
  | "IS_DIRECTORY"
  /** The operating system denies access. */
  | "PERMISSION"
  /** Somebody else has the image open. */
  | "IN_USE"
  /** The file behind a storage is no longer the one that was opened. */
  | "CHANGED"
  /** A server does not answer range requests as it must; the message says what it has to do. */
  | "BAD_RESPONSE"
  /** The AbortSignal that was given has ended the request; `cause` is its reason. */
  | "ABORTED"
  /** Something is under way, or open, that must come to its end first: requests, a commit, who reads a snapshot. */
  | "BUSY"
  /** The worker that had the disk has ended: what was not flushed may be lost. */
  | "DISCONNECTED";

/** An error of a disk, its image or its storage. */
export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly code: DiskErrorCode;
  /** The numbers and names behind the message: offsets and sizes in bytes. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: DiskErrorCode, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(oneLine(message), cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** What platforms call it: the codes of operating systems, the names that browsers give. */
const PLATFORM_CODES = new Map<unknown, DiskErrorCode>([
  ["ENOSPC", "NO_SPACE"],
  ["EDQUOT", "NO_SPACE"],
  ["EFBIG", "NO_SPACE"],
  ["QuotaExceededError", "NO_SPACE"],
  ["NS_ERROR_FILE_NO_DEVICE_SPACE", "NO_SPACE"],
  ["ENOENT", "NOT_FOUND"],
  ["EEXIST", "EXISTS"],
  ["EISDIR", "IS_DIRECTORY"],
  ["EACCES", "PERMISSION"],
  ["EPERM", "PERMISSION"],
  ["EROFS", "PERMISSION"],
]);

/** A caller's mistake that shows only while a request is under way: it stays what it is, whatever wraps errors there. */
export class CallerMistake extends TypeError {}

/** What a request fails with: `storageError`, but for the caller's own mistakes. */
export function requestError(doing: string, cause: unknown, details: Record<string, unknown> = {}): Error {
  return isA(CallerMistake, cause) ? cause : storageError(doing, cause, details);
}

/**
 * Wraps what a storage threw, which may be anything: `doing` says what was tried ("writing 512 bytes at 65536"). A
 * DiskError stays as it is.
 */
export function storageError(doing: string, cause: unknown, details: Record<string, unknown> = {}): DiskError {
  if (isA(DiskError, cause)) return cause;
  const code = PLATFORM_CODES.get(fieldOf(cause, "code")) ?? PLATFORM_CODES.get(fieldOf(cause, "name")) ?? "IO";
  const error = new DiskError(code, `${doing} failed: ${reasonOf(cause)}`, details, cause);
  // The constructor takes undefined for none; here it is what was thrown.
  if (cause === undefined)
    Object.defineProperty(error, "cause", { value: undefined, configurable: true, writable: true });
  return error;
}

/** What something that was thrown says of itself; never nothing. */
export function reasonOf(thrown: unknown): string {
  for (const text of [thrown, fieldOf(thrown, "message"), fieldOf(thrown, "name")]) {
    if (typeof text === "string" && text.trim() !== "") return shownMessage(text);
  }
  return `${quote(thrown)} was thrown`;
}

function isA<T>(wanted: new (...given: never[]) => T, thrown: unknown): thrown is T {
  try {
    return thrown instanceof wanted;
  } catch {
    return false; // a proxy that does not say what it is
  }
}

/** A property of something that was thrown, where that can be asked. */
export function fieldOf(thrown: unknown, name: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined; // a proxy, or a getter, that throws
  }
}
