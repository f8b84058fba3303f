/**
 * A file on a web server, read by range requests as it is needed: what came before stays in a bounded cache, what a
 * sequential reader will want is fetched ahead. A file that changes on the server is an error, never mixed data.
 */
import { takeBuffer } from "../buffers.js";
import { DiskError } from "../errors.js";
import { shownName } from "../printable.js";
import { BlockCache, type CacheStatistics } from "./block-cache.js";
import { type HttpOptions, type HttpSettings, httpSettings } from "./http-options.js";
import { HttpRanges } from "./http-ranges.js";
import { HttpRequests, type RequestStatistics } from "./http-requests.js";
import type { Pinned } from "./http-version.js";
import { type WholeFile, wholeByRanges } from "./http-whole.js";
import type { Storage } from "./storage.js";

/** What a storage has asked and received since it was opened. */
export interface HttpStatistics extends RequestStatistics, CacheStatistics {
  /** What tells this content of the URL from another. */
  readonly pinned: Pinned;
}

/** What reads are answered from: blocks as they come, or the whole file. */
type Content = BlockCache | WholeFile;

export class HttpStorage implements Storage {
  readonly path: string;
  readonly readOnly = true;
  readonly #requests: HttpRequests;
  readonly #pinned: Pinned;
  readonly #stopListening: () => void;
  #content: Content;
  #closed = false;

  private constructor(requests: HttpRequests, content: Content, pinned: Pinned, stopListening: () => void) {
    this.path = requests.url;
    this.#requests = requests;
    this.#content = content;
    this.#pinned = pinned;
    this.#stopListening = stopListening;
  }

  /**
   * Asks the server for two bytes, and so for the file's length and version. A relative URL is the page's.
   * @throws DiskError NOT_FOUND, PERMISSION, BAD_RESPONSE, CHANGED, TOO_LARGE, ABORTED, IO; TypeError, RangeError
   */
  static async open(url: string | URL, options: HttpOptions = {}): Promise<HttpStorage> {
    const settings = httpSettings(options);
    const requests = new HttpRequests(absoluteUrl(url), settings.requests);
    const stopListening = endWith(options.signal, requests);
    try {
      const [content, pinned] = await openContent(requests, settings);
      if (pinned === "nothing") warnUnpinned(requests.url, settings);
      return new HttpStorage(requests, content, pinned, stopListening);
    } catch (error) {
      stopListening();
      throw error;
    }
  }

  /** What was asked and received so far, and what holds the answers together. */
  get statistics(): HttpStatistics {
    const { cacheHits, cacheMisses } = this.#content.statistics;
    return { ...this.#requests.statistics, cacheHits, cacheMisses, pinned: this.#pinned };
  }

  /** @throws DiskError CHANGED, BAD_RESPONSE, NOT_FOUND, PERMISSION, ABORTED, CLOSED, IO */
  read(buffer: Uint8Array, offset: number): number | Promise<number> {
    this.#requireOpen();
    const target = takeBuffer(buffer);
    const length = Math.min(target.length, this.#content.size - offset);
    if (length <= 0) return 0;
    return this.#content.read(length === target.length ? target : target.subarray(0, length), offset);
  }

  write(): never {
    throw this.#readOnly();
  }

  size(): number {
    this.#requireOpen();
    return this.#content.size;
  }

  truncate(): never {
    throw this.#readOnly();
  }

  flush(): void {
    this.#requireOpen();
  }

  /** Ends what is in flight, with CLOSED. */
  close(): void {
    this.#requireOpen();
    this.#closed = true;
    this.#stopListening();
    this.#requests.end(this.#closedError());
    this.#content.clear();
  }

  #requireOpen(): void {
    if (this.#closed) throw this.#closedError();
  }

  #closedError(): DiskError {
    return new DiskError("CLOSED", `${shownName(this.path)} is closed: open it again`, { url: this.path });
  }

  #readOnly(): DiskError {
    const message = `${shownName(this.path)} cannot be written: take it as the base of a disk that can`;
    return new DiskError("READ_ONLY", message, { url: this.path });
  }
}

/** A fetch would refuse a URL with a password in it each time, as if the network had failed. */
export function absoluteUrl(url: string | URL): string {
  const page = globalThis.document?.baseURI ?? globalThis.location?.href;
  const absolute = new URL(url, page);
  if (absolute.username || absolute.password)
    throw new TypeError(
      `${shownName(absolute.origin)}: a URL with a password cannot be fetched: send it in the option headers`,
    );
  return absolute.href;
}

/** The file as a whole where it must or can only be so, else by ranges. */
async function openContent(requests: HttpRequests, { cache, whole }: HttpSettings): Promise<[Content, Pinned]> {
  const ranges = new HttpRanges(requests, whole.expected);
  const file = (await ranges.probe(whole)) ?? (whole.sha256 && (await wholeByRanges(ranges, requests.url, whole)));
  if (file) return [file, file.pinned];
  const { total, pinned } = ranges.version;
  const blocks = new BlockCache(ranges, cache);
  blocks.size = total;
  return [blocks, pinned];
}

function warnUnpinned(url: string, { onwarning }: HttpSettings): void {
  const message = `${shownName(url)}: the server sends neither an ETag nor a Last-Modified that tells changes apart: if the file is replaced by one of the same length while it is open, bytes of both are mixed. Have the server send an ETag (across origins with Access-Control-Expose-Headers: ETag), or give the option expect: sha256 or version`;
  onwarning?.({ code: "UNPINNED", url, message });
}

/** Ends the requests when the signal does; answers how to stop listening. */
function endWith(signal: AbortSignal | undefined, requests: HttpRequests): () => void {
  const { url } = requests;
  const abort = () =>
    requests.end(new DiskError("ABORTED", `reading ${shownName(url)} was aborted`, { url }, signal!.reason));
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  return () => signal?.removeEventListener("abort", abort);
}
