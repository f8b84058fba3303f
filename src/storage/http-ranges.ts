/**
 * Range requests to one URL: each is checked, retried where another try may help, and bound to the version of the
 * file that the first one saw. At most so many run at once, so that the clock of a request runs only while it is with
 * the server.
 */
import { DiskError } from "../errors.js";
import type { BlockSource } from "./block-cache.js";
import { Attempt, asFailure, sleep } from "./http-attempt.js";
import { BodySink } from "./http-body.js";
import { checkResponse, type FileVersion, type RangeRequest, TransientError } from "./http-response.js";

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

export class HttpRanges implements BlockSource {
  readonly statistics: RequestStatistics = { requests: 0, retries: 0, bytes: 0 };
  readonly #url: string;
  readonly #settings: RequestSettings;
  #version: FileVersion | undefined;
  /** What ended it all. */
  #ended: DiskError | undefined;
  /** Requests and waits that have to stop when it ends. */
  readonly #running = new Set<AbortController>();
  #connections = 0;
  readonly #queue: (() => void)[] = [];

  constructor(url: string, settings: RequestSettings) {
    this.#url = url;
    this.#settings = settings;
  }

  /**
   * The first request, by GET, as servers answer HEAD otherwise. Answers the file's length. It asks for two bytes:
   * where one would do, "bytes=0-0", some servers take the last 0 for none and send everything.
   */
  async probe(): Promise<number> {
    const sink = new BodySink([new Uint8Array(2)], 0, () => {});
    await this.#withRetries(sink);
    return this.#version!.total;
  }

  async fill(parts: readonly Uint8Array[], offset: number, filled: (index: number) => void): Promise<void> {
    const isFirstByte = offset === 0 && parts.length === 1 && parts[0]!.length === 1;
    if (isFirstByte && this.#version!.total > 1) return this.#fillFirst(parts[0]!, filled);
    await this.#connection();
    try {
      await this.#withRetries(new BodySink(parts, offset, filled));
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#connections--;
    }
  }

  /** The first byte alone: it is asked for with the second one, as in `probe`. */
  #fillFirst(part: Uint8Array, filled: (index: number) => void): Promise<void> {
    return this.fill([part, new Uint8Array(1)], 0, (index) => index === 0 && filled(0));
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

  async #withRetries(sink: BodySink): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attempt(sink);
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        if (tries > this.#settings.retries) throw this.#gaveUp(sink, tries, error);
        sink.rewind();
        if (this.#ended) throw this.#ended;
        await sleep(waitBefore(tries, error.retryAfter, this.#settings), this.#running);
        this.statistics.retries++;
      }
    }
  }

  async #attempt(sink: BodySink): Promise<void> {
    if (this.#ended) throw this.#ended;
    const request: RangeRequest = { url: this.#url, start: sink.position, end: sink.end };
    const attempt = new Attempt(this.#settings.timeout, this.#running);
    try {
      this.statistics.requests++;
      const response = await attempt.unlessAborted(
        this.#settings.fetch(this.#url, this.#init(request, attempt.signal)),
      );
      const version = checkResponse(request, response, this.#version);
      this.#version ??= version;
      sink.endAt(version.total);
      if (version.total > 0) await this.#receive(response, sink, request, attempt);
    } catch (error) {
      throw this.#ended ?? asFailure(error, attempt.signal);
    } finally {
      attempt.end();
    }
  }

  /** The browser's own cache stays out of it: Chromium serves one request at a time to a file that it caches. */
  #init({ start, end }: RangeRequest, signal: AbortSignal): RequestInit {
    return { headers: { ...this.#settings.headers, range: `bytes=${start}-${end - 1}` }, cache: "no-store", signal };
  }

  async #receive(response: Response, sink: BodySink, request: RangeRequest, attempt: Attempt): Promise<void> {
    const reader = response.body?.getReader();
    sink.begin(response);
    attempt.restartClock();
    while (reader) {
      const { done, value } = await attempt.unlessAborted(reader.read());
      if (done) break;
      attempt.received(value.length);
      this.statistics.bytes += value.length;
      sink.put(value, request);
    }
    sink.finish();
  }

  #gaveUp({ position, end }: BodySink, tries: number, cause: TransientError): DiskError {
    const url = this.#url;
    const message = `${url}: reading bytes ${position}-${end - 1} failed ${tries} times, the last time because ${cause.message}. Check the server and the way to it`;
    return new DiskError("IO", message, { url, start: position, end, tries }, cause);
  }
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
