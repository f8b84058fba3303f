/** How an HttpStorage asks its server and what it believes: the options, their defaults, and what cannot be. */
import { type OptionNames, requireOptions, requireSignal } from "../caller-options.js";
import { quote } from "../printable.js";
import { CACHE_OPTIONS, type CacheOptions, type CacheSettings, cacheSettings } from "./block-cache.js";
import type { Fetch, RequestSettings } from "./http-requests.js";
import type { WholeSettings } from "./http-whole.js";

/** How to ask the server, what to keep, and what is known of the file. */
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
  /** What you know of the file: one that is another is CHANGED, when it is opened and later. Default: nothing. */
  expect?: ExpectedFile;
  /**
   * Lets the file be fetched in one answer, and kept in memory, where the server serves no ranges: the most bytes that
   * it may have; true is 256 MiB. Default false: such a server is BAD_RESPONSE.
   */
  wholeFile?: boolean | number;
  /** Told, before the opening ends, what the storage cannot promise; what it throws fails the opening. Default: nobody. */
  onwarning?: (warning: HttpWarning) => void;
  /** Told how much of a file that is fetched as a whole has come, in bytes. Default: nobody. */
  onprogress?: (received: number, total: number | undefined) => void;
}

/** What the caller knows of a file on a server. */
export interface ExpectedFile {
  /** In bytes. */
  length?: number;
  /**
   * The SHA-256 of the whole file, as 64 hexadecimal digits. It is checked before anything is read, so that the file is
   * fetched and kept as a whole: as `wholeFile` allows, by default up to 256 MiB.
   */
  sha256?: string;
  /** What every answer must carry: the file's ETag, with or without its quotes, or what `versionHeader` gives. */
  version?: string;
  /** The header that gives the version, "x-amz-version-id" say. Default "etag". */
  versionHeader?: string;
}

const HTTP_OPTIONS: OptionNames<HttpOptions> = {
  ...CACHE_OPTIONS,
  ...{ fetch: true, headers: true, signal: true, timeout: true, retries: true, retryDelay: true, longestWait: true },
  ...{ connections: true, expect: true, wholeFile: true, onwarning: true, onprogress: true },
};

const EXPECTED: OptionNames<ExpectedFile> = { length: true, sha256: true, version: true, versionHeader: true };

/** What a storage cannot promise. */
export interface HttpWarning {
  /** UNPINNED: the server tells the contents of a URL apart by nothing but their length. */
  code: "UNPINNED";
  url: string;
  message: string;
}

export interface HttpSettings {
  cache: CacheSettings;
  requests: RequestSettings;
  whole: WholeSettings;
  onwarning: ((warning: HttpWarning) => void) | undefined;
}

/** What `true` and a SHA-256 allow: what a page can hold, and more than most images that lie beside a page. */
const WHOLE_FILE = 256 * 2 ** 20;

/** The defaults filled in. @throws TypeError, RangeError */
export function httpSettings(options: HttpOptions): HttpSettings {
  requireOptions(options, HTTP_OPTIONS);
  const { expect = {}, wholeFile, onprogress, onwarning } = options;
  for (const [name, value] of Object.entries({ fetch: options.fetch, onprogress, onwarning }))
    if (value !== undefined && typeof value !== "function")
      throw new TypeError(`${name}: expected a function, got ${quote(value)}`);
  requireSignal(options.signal);
  const { sha256, ...expected } = expectedFile(expect);
  const limit = wholeLimit(wholeFile, sha256);
  return {
    cache: cacheSettings(options),
    requests: requestSettings(options),
    whole: { limit, sha256, expected, onprogress },
    onwarning,
  };
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

function wholeLimit(wholeFile: boolean | number | undefined, sha256: string | undefined): number {
  const value = wholeFile ?? sha256 !== undefined;
  const limit = typeof value === "number" ? value : value === true ? WHOLE_FILE : value === false ? 0 : Number.NaN;
  if (!(Number.isSafeInteger(limit) && limit >= 0))
    throw new RangeError(`wholeFile: expected true, false or a number of bytes, got ${quote(wholeFile)}`);
  if (sha256 !== undefined && limit === 0)
    throw new RangeError("wholeFile: expected true or a number of bytes, as sha256 takes the whole file, got none");
  return limit;
}

function expectedFile(expect: ExpectedFile) {
  requireOptions(expect, EXPECTED);
  const { length, sha256, version, versionHeader } = expect;
  if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0))
    throw new RangeError(`expect.length: expected a number of bytes, got ${quote(length)}`);
  if (sha256 !== undefined && !(typeof sha256 === "string" && /^[0-9a-f]{64}$/i.test(sha256)))
    throw new RangeError(`expect.sha256: expected 64 hexadecimal digits, got ${quote(sha256)}`);
  if (version !== undefined && !(typeof version === "string" && version !== ""))
    throw new RangeError(`expect.version: expected a text, got ${quote(version)}`);
  if (versionHeader !== undefined && version === undefined)
    throw new RangeError("expect.version: expected what the header gives, as there is a versionHeader, got none");
  const header = (versionHeader ?? "etag").toLowerCase();
  new Headers().has(header); // throws for what is no header
  return { length, sha256: sha256?.toLowerCase(), version, versionHeader: header };
}
