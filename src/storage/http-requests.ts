/**
 * Requests to one URL: each is tried again where another try may help, ends where the whole ends, and is counted. At
 * most so many run at once, so that the clock of a request runs only while it is with the server.
 */
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { quote, shownName } from "../printable.js";
import { Attempt, sleep } from "./http-attempt.js";
import { badResponse, type RangeRequest, TransientError } from "./http-response.js";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How to ask; waits are in milliseconds. */
export interface RequestSettings {
  fetch: Fetch;
  headers: Record<string, string>;
  timeout: number;
  retries: number;
  retryDelay: number;
  longestWait: number;
  connections: number;
}

export interface RequestStatistics {
  /** Requests sent, retries among them. */
  requests: number;
  /** Requests sent again after a failure. */
  retries: number;
  /** Bytes received in bodies. */
  bytes: number;
}

/** What is asked for, until it is there. */
export interface Exchange<T> {
  /** The bytes to ask for in the next try. */
  range(): Omit<RangeRequest, "url">;
  /** Checks an answer and takes what it brings; a TransientError has it asked again. */
  take(request: RangeRequest, response: Response, pour: Pour): Promise<T>;
  /** Goes back to what is certain, before another try. */
  rewind(): void;
}

/** Hands on the answer's body, piece by piece, as it arrives. */
export type Pour = (put: (bytes: Uint8Array) => void) => Promise<void>;

export class HttpRequests {
  readonly statistics: RequestStatistics = { requests: 0, retries: 0, bytes: 0 };
  readonly url: string;
  readonly #settings: RequestSettings;
  /** What ended it all. */
  #ended: DiskError | undefined;
  /** Requests and waits that have to stop when it ends. */
  readonly #running = new Set<AbortController>();
  #connections = 0;
  readonly #queue: (() => void)[] = [];

  constructor(url: string, settings: RequestSettings) {
    this.url = url;
    this.#settings = settings;
  }

  /** Asks, as often as it takes and may take. */
  async exchange<T>(exchange: Exchange<T>): Promise<T> {
    await this.#connection();
    try {
      return await this.#withRetries(exchange);
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#connections--;
    }
  }

  /** Stops everything, now and later, with this error. */
  end(error: DiskError): void {
    this.#ended ??= error;
    for (const controller of this.#running) controller.abort(this.#ended);
  }

  /** Waits for a place among the connections; who leaves one hands it to the next in line. */
  async #connection(): Promise<void> {
    if (this.#connections < this.#settings.connections) this.#connections++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  async #withRetries<T>(exchange: Exchange<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attempt(exchange);
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        if (tries > this.#settings.retries) throw this.#gaveUp(exchange, tries, error);
        exchange.rewind();
        if (this.#ended) throw this.#ended;
        await sleep(waitBefore(tries, error.retryAfter, this.#settings), this.#running);
        this.statistics.retries++;
      }
    }
  }

  async #attempt<T>(exchange: Exchange<T>): Promise<T> {
    if (this.#ended) throw this.#ended;
    const request = { url: this.url, ...exchange.range() };
    const attempt = new Attempt(this.#settings.timeout, this.#running);
    try {
      this.statistics.requests++;
      const response = await attempt.network(() => this.#settings.fetch(this.url, this.#init(request, attempt.signal)));
      requireResponse(request, response);
      attempt.restartClock();
      return await exchange.take(request, response, (put) => this.#pour(request, response, attempt, put));
    } catch (error) {
      throw this.#ended ?? error;
    } finally {
      attempt.end();
    }
  }

  /** The browser's own cache stays out of it: Chromium serves one request at a time to a file that it caches. */
  #init({ start, end }: RangeRequest, signal: AbortSignal): RequestInit {
    return { headers: { ...this.#settings.headers, range: `bytes=${start}-${end - 1}` }, cache: "no-store", signal };
  }

  async #pour(
    request: RangeRequest,
    response: Response,
    attempt: Attempt,
    put: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const reader = response.body?.getReader();
    try {
      while (reader) {
        const { done, value } = await attempt.network(() => reader.read());
        if (done) return;
        if (!ArrayBuffer.isView(value)) throw badResponse(request, "bytes in the body", quote(value), OWN_FETCH);
        attempt.received(value.length);
        this.statistics.bytes += value.length;
        put(value);
      }
    } catch (error) {
      // The signal ends it, too, but not every fetch of a caller's own heeds that.
      reader?.cancel().catch(() => {});
      throw error;
    }
  }

  #gaveUp<T>(exchange: Exchange<T>, tries: number, cause: TransientError): DiskError {
    const { url } = this;
    const { start, end } = exchange.range();
    const message = `${shownName(url)}: reading bytes ${start}-${end - 1} failed ${counted(tries, "time")}, the last time because ${cause.message}. Check the server and the way to it`;
    return new DiskError("IO", message, { url, start, end, tries }, cause);
  }
}

const OWN_FETCH = "The fetch that was given must answer with a Response whose body brings bytes.";

/** A fetch of the caller's own may answer anything. */
function requireResponse(request: RangeRequest, response: Response): void {
  const { status, headers } = (response ?? {}) as Partial<Response>;
  if (typeof status === "number" && typeof headers?.get === "function") return;
  throw badResponse(request, "a Response", quote(response), OWN_FETCH);
}

/** Waits double from try to try, and vary so that many clients do not come back at once; the server may ask for longer. */
export function waitBefore(
  tries: number,
  retryAfter: number | undefined,
  { retryDelay, longestWait }: Pick<RequestSettings, "retryDelay" | "longestWait">,
  random = Math.random(),
): number {
  const wait = retryDelay * 2 ** (tries - 1) * (0.5 + random / 2);
  return Math.min(Math.max(wait, retryAfter ?? 0), longestWait);
}
