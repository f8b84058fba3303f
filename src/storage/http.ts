/**
 * A file on a web server, read by range requests as it is needed: what came before stays in a bounded cache, what a
 * sequential reader will want is fetched ahead. A file that changes on the server is an error, never mixed data.
 */

import { type OptionNames, requireOptions } from "../caller-options.js";
import { DiskError } from "../errors.js";
import { quote, shownName } from "../printable.js";
import { BlockCache, CACHE_OPTIONS, type CacheOptions, type CacheStatistics, cacheSettings } from "./block-cache.js";
import { type Fetch, HttpRanges, type RequestSettings, type RequestStatistics } from "./http-ranges.js";
import type { Storage } from "./storage.js";

/** How to ask the server, and what to keep. */
export interface HttpOptions extends CacheOptions {
  /**
   * Makes the requests. Default: the platform's `fetch`. With one of your own you add what it takes: credentials,
   * signatures, a proxy. It must send the headers and heed the signal that it is given.
   */
  fetch?: Fetch;
  /** Headers for every request. Default: none, as across origins any other than Range makes browsers ask twice. */
  headers?: Record<string, string>;
  /** Ends all requests, those waiting to be retried among them; what needs the server fails with ABORTED from then on. */
  signal?: AbortSignal;
  /**
   * Longest wait for the next bytes, in milliseconds; less than 128 bytes a second is none, a slow download that goes on
   * faster is not cut. Default 30 000.
   */
  timeout?: number;
  /** Further tries after a network error, 408, 429 or 5xx. Default 5: with their waits they outlast a server's restart. */
  retries?: number;
  /** First wait before another try, in milliseconds; each is twice as long as the one before. Default 250. */
  retryDelay?: number;
  /** Longest wait before another try, in milliseconds, also where Retry-After asks for more. Default 30 000. */
  longestWait?: number;
  /** Requests at once. Default 6: browsers open no more connections to one server. */
  connections?: number;
}

const HTTP_OPTIONS: OptionNames<HttpOptions> = {
  ...CACHE_OPTIONS,
  fetch: true,
  headers: true,
  signal: true,
  timeout: true,
  retries: true,
  retryDelay: true,
  longestWait: true,
  connections: true,
};

/** What a storage has asked and received since it was opened. */
export interface HttpStatistics extends RequestStatistics, CacheStatistics {}

export class HttpStorage implements Storage {
  readonly path: string;
  readonly readOnly = true;
  readonly #ranges: HttpRanges;
  readonly #cache: BlockCache;
  readonly #stopListening: () => void;
  #closed = false;

  private constructor(url: string, ranges: HttpRanges, cache: BlockCache, stopListening: () => void) {
    this.path = url;
    this.#ranges = ranges;
    this.#cache = cache;
    this.#stopListening = stopListening;
  }

  /**
   * Asks the server for two bytes, and so for the file's length and version. A relative URL is the page's.
   * @throws DiskError NOT_FOUND, PERMISSION, BAD_RESPONSE, ABORTED, IO; TypeError, RangeError
   */
  static async open(url: string | URL, options: HttpOptions = {}): Promise<HttpStorage> {
    requireOptions(options, HTTP_OPTIONS);
    const absolute = absoluteUrl(url);
    const settings = cacheSettings(options);
    const ranges = new HttpRanges(absolute, requestSettings(options));
    const stopListening = endWith(options.signal, ranges, absolute);
    try {
      const cache = new BlockCache(ranges, settings);
      cache.size = await ranges.probe();
      return new HttpStorage(absolute, ranges, cache, stopListening);
    } catch (error) {
      stopListening();
      throw error;
    }
  }

  /** What was asked and received so far. */
  get statistics(): HttpStatistics {
    return { ...this.#ranges.statistics, ...this.#cache.statistics };
  }

  /** @throws DiskError CHANGED, BAD_RESPONSE, NOT_FOUND, PERMISSION, ABORTED, CLOSED, IO */
  read(buffer: Uint8Array, offset: number): number | Promise<number> {
    this.#requireOpen();
    const length = Math.min(buffer.length, this.#cache.size - offset);
    if (length <= 0) return 0;
    return this.#cache.read(length === buffer.length ? buffer : buffer.subarray(0, length), offset);
  }

  write(): never {
    throw this.#readOnly();
  }

  size(): number {
    this.#requireOpen();
    return this.#cache.size;
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
    this.#ranges.end(this.#closedError());
    this.#cache.clear();
  }

  #requireOpen(): void {
    if (this.#closed) throw this.#closedError();
  }

  #closedError(): DiskError {
    return new DiskError("CLOSED", `${this.path} is closed: open it again`, { url: this.path });
  }

  #readOnly(): DiskError {
    const message = `${this.path} cannot be written: take it as the base of a disk that can`;
    return new DiskError("READ_ONLY", message, { url: this.path });
  }
}

/** A fetch would refuse a URL with a password in it each time, as if the network had failed. */
function absoluteUrl(url: string | URL): string {
  const page = globalThis.document?.baseURI ?? globalThis.location?.href;
  const absolute = new URL(url, page);
  if (absolute.username || absolute.password)
    throw new TypeError(
      `${shownName(absolute.origin)}: a URL with a password cannot be fetched: send it in the option headers`,
    );
  return absolute.href;
}

function requestSettings(options: HttpOptions): RequestSettings {
  const {
    fetch = (url, init) => globalThis.fetch(url, init),
    headers = {},
    timeout = 30_000,
    retries = 5,
    retryDelay = 250,
    longestWait = 30_000,
    connections = 6,
  } = options;
  for (const [name, value] of Object.entries({ timeout, retries, retryDelay, longestWait, connections })) {
    const least = name === "timeout" || name === "connections" ? 1 : 0;
    if (!(typeof value === "number" && value >= least))
      throw new RangeError(`${name}: expected a number from ${least}, got ${quote(value)}`);
  }
  const checked = Object.fromEntries(new Headers(headers)); // throws for what is no header
  return { fetch, headers: checked, timeout, retries, retryDelay, longestWait, connections };
}

/** Ends the requests when the signal does; answers how to stop listening. */
function endWith(signal: AbortSignal | undefined, ranges: HttpRanges, url: string): () => void {
  const abort = () => ranges.end(new DiskError("ABORTED", `reading ${url} was aborted`, { url }, signal!.reason));
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  return () => signal?.removeEventListener("abort", abort);
}
