/**
 * A file that is kept in memory as a whole: where a server serves no ranges, and where the caller knows its SHA-256,
 * which only the whole file can show. It takes memory as bytes arrive, never as a server announces them.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { shownName } from "../printable.js";
import type { CacheStatistics } from "./block-cache.js";
import type { HttpRanges } from "./http-ranges.js";
import type { Pour } from "./http-requests.js";
import { ADVICE, badResponse, type RangeRequest, TransientError } from "./http-response.js";
import { changed, type ExpectedVersion, type Pinned, versionOf } from "./http-version.js";

/** What may be fetched as a whole. */
export interface WholeSettings {
  /** Most bytes; 0 where it is not allowed. */
  limit: number;
  /** In lower case. */
  sha256: string | undefined;
  expected: ExpectedVersion;
  /** Told how many bytes of how many have come. */
  onprogress: ((received: number, total: number | undefined) => void) | undefined;
}

/** Bytes a piece. */
const PIECE = 2 ** 20;
/** Bytes asked for at once, where the server serves ranges. */
const STEP = 4 * PIECE;

export class WholeFile {
  readonly pinned: Pinned;
  readonly size: number;
  /** Each read is answered from memory. */
  readonly statistics: CacheStatistics = { cacheHits: 0, cacheMisses: 0 };
  #pieces: readonly Uint8Array[];

  constructor(pieces: readonly Uint8Array[], size: number, pinned: Pinned) {
    this.#pieces = pieces;
    this.size = size;
    this.pinned = pinned;
  }

  /** Fills the whole target, which must lie inside the file; answers its length. */
  read(target: Uint8Array, offset: number): number {
    this.statistics.cacheHits++;
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const piece = this.#pieces[Math.floor(at / PIECE)];
      const part = piece.subarray(at % PIECE, (at % PIECE) + target.length - done);
      target.set(part, done);
      done += part.length;
    }
    return target.length;
  }

  /** Forgets everything. */
  clear(): void {
    this.#pieces = [];
  }
}

/** Whether an answer brings the whole file, and may. */
export const isWholeFile = (response: Response, { limit }: WholeSettings): boolean =>
  response.status === 200 && limit > 0;

/** The file from one answer. @throws DiskError CHANGED, TOO_LARGE, BAD_RESPONSE; TransientError where it was cut */
export async function wholeFrom(
  request: RangeRequest,
  response: Response,
  pour: Pour,
  settings: WholeSettings,
): Promise<WholeFile> {
  const length = announcedLength(request, response, settings);
  const total = length ?? settings.expected.length;
  if (total !== undefined) versionOf(request, response, total, settings.expected);
  const sink = new WholeSink(request, total, settings);
  await pour((bytes) => sink.put(bytes));
  if (total === undefined) versionOf(request, response, sink.size, settings.expected);
  if (total !== undefined && sink.size < total)
    throw new TransientError(`the answer ended after ${sink.size} of ${counted(total, "byte")}`);
  return sink.finish("whole");
}

/** The file by ranges, one after the other, of which each is asked for again where it was cut. */
export async function wholeByRanges(ranges: HttpRanges, url: string, settings: WholeSettings): Promise<WholeFile> {
  const { total } = ranges.version;
  const sink = new WholeSink({ url, start: 0, end: total }, total, settings);
  while (sink.size < total) {
    const bytes = new Uint8Array(Math.min(STEP, total - sink.size));
    await ranges.fill([bytes], sink.size, () => {});
    sink.put(bytes);
  }
  return sink.finish("whole");
}

/**
 * The length that the server announces: without one, a cut answer may look whole. That of a packed answer is of what
 * was packed; fetch has unpacked it, and with that the file is what it was.
 */
function announcedLength(request: RangeRequest, { headers }: Response, settings: WholeSettings): number | undefined {
  const isPacked = (headers.get("content-encoding") ?? "identity") !== "identity";
  const text = headers.get("content-length")?.trim();
  if (!isPacked && text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  if (settings.sha256 !== undefined || settings.expected.length !== undefined) return undefined;
  const got = isPacked ? "one for the packed file" : shownName(text ?? "none");
  throw badResponse(request, "a Content-Length for the file", got, ADVICE.length);
}

/** Collects a file as it arrives. */
class WholeSink {
  size = 0;
  readonly #request: RangeRequest;
  readonly #total: number | undefined;
  readonly #settings: WholeSettings;
  readonly #pieces: Uint8Array[] = [];
  /** The platform's own wants everything at once, and is missing in pages that did not come over HTTPS. */
  readonly #hash: ReturnType<typeof sha256.create> | undefined;

  constructor(request: RangeRequest, total: number | undefined, settings: WholeSettings) {
    this.#request = request;
    this.#total = total;
    this.#settings = settings;
    if (settings.sha256 !== undefined) this.#hash = sha256.create();
    this.#requireSmall(total ?? 0);
    settings.onprogress?.(0, total);
  }

  put(bytes: Uint8Array): void {
    this.#requireSmall(this.size + bytes.length);
    this.#hash?.update(bytes);
    for (let done = 0; done < bytes.length; ) done += this.#putPiece(bytes.subarray(done));
    this.#settings.onprogress?.(this.size, this.#total);
  }

  /** @throws DiskError CHANGED where it is not the file that was expected */
  finish(pinned: Pinned): WholeFile {
    const wanted = this.#settings.sha256;
    const got = this.#hash && bytesToHex(this.#hash.digest());
    if (got !== wanted) throw changed(this.#request, `SHA-256 ${wanted}`, `${got}`, false);
    return new WholeFile(this.#pieces, this.size, wanted === undefined ? pinned : "digest");
  }

  #putPiece(bytes: Uint8Array): number {
    const inPiece = this.size % PIECE;
    if (inPiece === 0)
      this.#pieces.push(new Uint8Array(Math.min(PIECE, (this.#total ?? Number.POSITIVE_INFINITY) - this.size)));
    const piece = this.#pieces.at(-1)!;
    const part = bytes.subarray(0, piece.length - inPiece);
    piece.set(part, inPiece);
    this.size += part.length;
    return part.length;
  }

  #requireSmall(size: number): void {
    const { limit } = this.#settings;
    if (this.#total !== undefined && size > this.#total) {
      const expected = `a body of ${counted(this.#total, "byte")}`;
      throw badResponse(this.#request, expected, "more", ADVICE.shifted);
    }
    if (size <= limit) return;
    const { url } = this.#request;
    const message = `${shownName(url)}: the whole file has ${this.#total ?? `more than ${limit}`} bytes, no more than ${limit} may be kept in memory: raise the option wholeFile, or read by ranges, without sha256, from a server that serves them`;
    throw new DiskError("TOO_LARGE", message, { url, expected: limit, got: this.#total });
  }
}
