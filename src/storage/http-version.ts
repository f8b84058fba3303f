/**
 * What holds the answers about one file together: how one content of a URL is told from another, how far that can be
 * relied on, and what the caller knows beforehand.
 */
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { shownName } from "../printable.js";
import type { RangeRequest } from "./http-response.js";

/**
 * What every answer is compared by, the surest first:
 * - `"digest"`: the whole file is in memory, and its SHA-256 is the one that was expected
 * - `"whole"`: the whole file is in memory, from one answer
 * - `"version"`: the version that the caller expects
 * - `"etag"`: a strong ETag
 * - `"weak-etag"`: a weak one (W/"..."). Servers of files make it of size and time, but it promises no equal bytes
 * - `"last-modified"`: a Last-Modified that a further change would have changed
 * - `"nothing"`: the length alone, so that bytes of two contents may mix
 */
export type Pinned = "digest" | "whole" | "version" | "etag" | "weak-etag" | "last-modified" | "nothing";

/** What the caller knows of the file. */
export interface ExpectedVersion {
  length: number | undefined;
  version: string | undefined;
  /** The header that gives the version, in lower case. */
  versionHeader: string;
}

/** What tells one content of a URL from another. */
export interface FileVersion {
  /** In bytes. */
  total: number;
  pinned: Pinned;
  etag: string | null;
  lastModified: string | null;
}

/** The version that an answer is from. @throws DiskError CHANGED where it is not the one that the caller expects */
export function versionOf(
  request: RangeRequest,
  { headers }: Response,
  total: number,
  expected: ExpectedVersion,
  pinned?: FileVersion,
): FileVersion {
  requireExpected(request, headers, total, expected, pinned);
  const [etag, lastModified] = [headers.get("etag") || null, headers.get("last-modified") || null];
  const version: FileVersion = {
    total,
    pinned: total === 0 ? "whole" : pinnedBy(headers, expected),
    etag,
    lastModified,
  };
  if (pinned !== undefined) requireSame(request, version, pinned);
  return version;
}

function requireExpected(
  request: RangeRequest,
  headers: Headers,
  total: number,
  { length, version, versionHeader }: ExpectedVersion,
  pinned: FileVersion | undefined,
): void {
  if (length !== undefined && total !== length)
    throw changed(request, counted(length, "byte"), `${total}`, pinned !== undefined);
  if (version === undefined) return;
  const got = headers.get(versionHeader);
  if (got !== null && unquoted(got) === unquoted(version)) return;
  const hidden = got === null ? ` (across origins the server must expose it: Access-Control-Expose-Headers)` : "";
  throw changed(request, `${versionHeader}: ${shownName(version)}`, textOf(got) + hidden, pinned !== undefined);
}

/** An ETag as people copy it: its quotes and its mark of weakness are often left behind. */
const unquoted = (etag: string): string => etag.trim().replace(/^(?:W\/)?"(.*)"$/, "$1");

function pinnedBy(headers: Headers, { version }: ExpectedVersion): Pinned {
  if (version !== undefined) return "version";
  const etag = headers.get("etag");
  if (etag) return /^W\//i.test(etag) ? "weak-etag" : "etag";
  return isTelling(headers.get("last-modified"), headers.get("date"), Date.now()) ? "last-modified" : "nothing";
}

/** Milliseconds by which a date must be older than the answer: it counts seconds, and a second change may have followed. */
const SETTLED = 2000;
/** The same where our own clock has to do, as across origins the server's is hidden. */
const SETTLED_BY_OUR_CLOCK = 60_000;
/** Dates before it say nothing: clocks that were not set, builds and archives that give everything one date. */
const FIRST_DATE = Date.UTC(1980, 0, 3);

/** Whether any later change of the file would change its Last-Modified (RFC 9110, 8.8.2.2). */
export function isTelling(lastModified: string | null, date: string | null, now: number): boolean {
  const modified = Date.parse(lastModified ?? "");
  const answered = Date.parse(date ?? "");
  if (!(modified >= FIRST_DATE)) return false;
  return Number.isNaN(answered) ? modified <= now - SETTLED_BY_OUR_CLOCK : modified <= answered - SETTLED;
}

/**
 * Servers that share a load may differ in the date, so that it decides only where there is no strong ETag; they must
 * not differ in the ETag, unless the caller knows a version that they agree on.
 */
function requireSame(request: RangeRequest, version: FileVersion, pinned: FileVersion): void {
  if (version.total !== pinned.total) throw changed(request, counted(pinned.total, "byte"), `${version.total}`, true);
  if (pinned.pinned === "version") return;
  if (version.etag !== pinned.etag) throw changed(request, `ETag ${textOf(pinned.etag)}`, textOf(version.etag), true);
  if (pinned.pinned === "etag" || version.lastModified === pinned.lastModified) return;
  throw changed(request, `Last-Modified ${textOf(pinned.lastModified)}`, textOf(version.lastModified), true);
}

const textOf = (header: string | null): string => (header === null ? "none" : shownName(header));

/** The error of a file that is not the one that was expected, or not the one any more that was opened. */
export function changed({ url, start, end }: RangeRequest, expected: string, got: string, opened: boolean): DiskError {
  const [what, advice] = opened
    ? ["has changed since it was opened", "Open it again; changes made over the old content do not fit the new one"]
    : ["is not the file that was expected", "Check the URL, and what was expected of it"];
  const message = `${shownName(url)} ${what}: expected ${expected}, got ${got}. ${advice}`;
  return new DiskError("CHANGED", message, { url, start, end, expected, got });
}
