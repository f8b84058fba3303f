/**
 * What an answer to a range request must be. Servers do answer with the whole file, caches do shift bytes, and a
 * file may be replaced between two requests: an answer that is not exactly what was asked for is refused, by name.
 */
import { counted } from "../count.js";
import { DiskError, type DiskErrorCode } from "../errors.js";
import { shownName } from "../printable.js";
import { changed, type ExpectedVersion, type FileVersion, versionOf } from "./http-version.js";

/** What was asked for. */
export interface RangeRequest {
  url: string;
  /** In bytes; `end` is excluded. */
  start: number;
  end: number;
}

/** An answer that another try may better. */
export class TransientError extends Error {
  override readonly name = "TransientError";
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { retryAfter?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter;
  }
}

/**
 * Checks status and headers of an answer; answers which version of the file it is from. `pinned` is the version that
 * was opened; where there is none yet, this is the first answer. @throws DiskError, TransientError
 */
export function checkResponse(
  request: RangeRequest,
  response: Response,
  expected: ExpectedVersion,
  pinned?: FileVersion,
): FileVersion {
  if (response.status !== 206) return checkOther(request, response, expected, pinned);
  requireUnpacked(request, response);
  const { start, end, total } = contentRange(request, response);
  // Only the first request may ask beyond the end, as it does not know where that is.
  const wanted = pinned === undefined ? Math.min(request.end, total) : request.end;
  if (start !== request.start || end !== wanted) {
    throw badResponse(request, describe(request), `bytes ${start}-${end - 1} of ${total}`, ADVICE.shifted);
  }
  const version = versionOf(request, response, total, expected, pinned);
  const length = response.headers.get("content-length");
  if (length !== null && Number(length) !== end - start)
    throw badResponse(
      request,
      `a body of ${counted(end - start, "byte")}`,
      `Content-Length: ${shownName(length)}`,
      ADVICE.shifted,
    );
  return version;
}

export function badResponse({ url, start, end }: RangeRequest, expected: string, got: string, advice: string) {
  const message = `${shownName(url)}: expected ${expected}, got ${got}. ${advice}`;
  return new DiskError("BAD_RESPONSE", message, { url, start, end, expected, got });
}

export const describe = ({ start, end }: RangeRequest): string => `bytes ${start}-${end - 1}`;

export const ADVICE = {
  ranges:
    "The server must serve byte ranges (Accept-Ranges: bytes): turn them on, serve the file as a static one, and let no compression or proxy take them away. A small file can be fetched as a whole: the option wholeFile.",
  multipart: "The server must answer one range with that range alone.",
  length:
    "Without one a cut answer would pass for the whole file: turn compression off, or say how long the file is (the option expect: length or sha256).",
  encoding: "The server must send the file as it is: turn compression off for it.",
  shifted: "The server, or a cache before it, serves ranges wrongly: have the cache emptied, or go round it.",
  cors: "The server must send Content-Range with every 206; across origins it must also send Access-Control-Expose-Headers: Content-Range, ETag, Content-Encoding.",
} as const;

/** The wait that a Retry-After header asks for, in milliseconds: it gives seconds or a date. */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  const wait = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Any status but 206. Only a file without a byte may be opened with one, as no range of it can be sent. */
function checkOther(
  request: RangeRequest,
  response: Response,
  expected: ExpectedVersion,
  pinned?: FileVersion,
): FileVersion {
  const { status, headers } = response;
  if (pinned === undefined && isEmptyFile(response)) return versionOf(request, response, 0, expected);
  if (status === 429 || status === 408 || status >= 500) {
    const message = `the server answered ${statusText(response)}`;
    throw new TransientError(message, { retryAfter: retryAfterOf(headers, Date.now()) });
  }
  if (status === 416 && pinned !== undefined) {
    const range = headers.get("content-range");
    throw changed(request, counted(pinned.total, "byte"), range === null ? "fewer (416)" : shownName(range), true);
  }
  if (status >= 200 && status < 300) {
    if (pinned !== undefined) versionOf(request, response, pinned.total, expected, pinned);
    requireUnpacked(request, response);
    const got = status === 200 ? "200 with the whole file" : statusText(response);
    throw badResponse(request, `206 with ${describe(request)}`, got, ADVICE.ranges);
  }
  throw statusError(request, response);
}

/** Offsets mean nothing in what was packed, and packing is often why there are no ranges. */
function requireUnpacked(request: RangeRequest, { headers }: Response): void {
  const encoding = headers.get("content-encoding");
  if (encoding === null || encoding === "identity") return;
  throw badResponse(request, "the bytes themselves", `Content-Encoding: ${shownName(encoding)}`, ADVICE.encoding);
}

function isEmptyFile({ status, headers }: Response): boolean {
  if (status === 416) return /^bytes \*\/0$/i.test(headers.get("content-range")?.trim() ?? "");
  return status === 200 && headers.get("content-length") === "0";
}

const STATUS: Record<number, [DiskErrorCode, string]> = {
  401: ["PERMISSION", "Give credentials: the option headers, or a fetch of your own."],
  403: ["PERMISSION", "Check the rights of the file, or give credentials: the option headers, or a fetch of your own."],
  404: ["NOT_FOUND", "Check the URL."],
  410: ["NOT_FOUND", "The file was taken away: ask whoever serves it."],
};

function statusError(request: RangeRequest, response: Response): DiskError {
  const { status } = response;
  const [code, advice] = STATUS[status] ?? ["IO", "The server refuses the request: its log may say why."];
  const message = `${shownName(request.url)}: expected 206 with ${describe(request)}, got ${statusText(response)}. ${advice}`;
  return new DiskError(code, message, { ...request, status });
}

const statusText = ({ status, statusText }: Response): string => shownName(`${status} ${statusText}`.trim());

function contentRange(request: RangeRequest, { headers }: Response): { start: number; end: number; total: number } {
  const text = headers.get("content-range");
  const type = headers.get("content-type") ?? "";
  if (/^multipart\/byteranges/i.test(type))
    throw badResponse(request, describe(request), `several parts (${shownName(type)})`, ADVICE.multipart);
  if (text === null) throw badResponse(request, "a Content-Range header", "none", ADVICE.cors);
  const [start, last, total] = (/^bytes (\d+)-(\d+)\/(\d+)$/i.exec(text.trim()) ?? []).slice(1).map(Number);
  if (start === undefined || !Number.isSafeInteger(total) || last < start || last >= total)
    throw badResponse(
      request,
      `Content-Range: ${describe(request)}/<the file's length>`,
      shownName(text),
      ADVICE.ranges,
    );
  return { start, end: last + 1, total };
}
