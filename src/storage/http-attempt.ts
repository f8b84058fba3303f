/**
 * One request under way, and the waits between requests: each ends where the whole ends, and a request also where its
 * server says nothing, or next to nothing, for too long. Nothing that arrived is kept here.
 */
import { counted } from "../count.js";
import { DiskError, fieldOf, reasonOf } from "../errors.js";
import { TransientError } from "./http-response.js";

/** Timers that are set for longer go off at once. */
const MAX_TIMER = 2 ** 31 - 1;
/** Bytes a second below which an answer counts as none: no line is as slow, but a server may mean to hold us. */
const LEAST_RATE = 128;

export class Attempt {
  readonly #controller = new AbortController();
  readonly #timeout: number;
  readonly #running: Set<AbortController>;
  #reject: (reason: unknown) => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes since the clock was started. */
  #received = 0;

  constructor(timeout: number, running: Set<AbortController>) {
    this.#timeout = timeout;
    this.#running = running;
    running.add(this.#controller);
    this.signal.addEventListener("abort", () => this.#reject(this.signal.reason), { once: true });
    this.restartClock();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Bytes have arrived. */
  received(count: number): void {
    this.#received += count;
    if (this.#received >= (LEAST_RATE * this.#timeout) / 1000) this.restartClock();
  }

  /**
   * What the network answers, or the abort's reason, as a fetch of the caller's own may not heed the signal. One at a
   * time. Promise.race would not do: each call would hang its result, a piece of the file, on the promise of the abort.
   * @throws DiskError where the whole ends; TransientError
   */
  async network<T>(request: () => PromiseLike<T>): Promise<T> {
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#reject = reject;
        if (this.signal.aborted) reject(this.signal.reason);
        Promise.resolve(request()).then(resolve, reject);
      });
    } catch (error) {
      throw asFailure(error, this.signal);
    }
  }

  /** Gives up what is left of the answer, too: an unread body would keep its connection. */
  end(): void {
    clearTimeout(this.#timer);
    this.#running.delete(this.#controller);
    this.#controller.abort();
  }

  restartClock(): void {
    clearTimeout(this.#timer);
    this.#received = 0;
    this.#timer = setTimeout(() => this.#expire(), Math.min(this.#timeout, MAX_TIMER));
  }

  #expire(): void {
    const came = this.#received === 0 ? "no byte" : `no more than ${counted(this.#received, "byte")}`;
    this.#controller.abort(new TransientError(`${came} came for ${this.#timeout} ms`));
  }
}

/** A wait that ends early where the whole ends. */
export async function sleep(milliseconds: number, running: Set<AbortController>): Promise<void> {
  const controller = new AbortController();
  running.add(controller);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Math.min(milliseconds, MAX_TIMER));
    controller.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  running.delete(controller);
}

/** Whatever fetch throws, and it may throw anything, is the network's: another try may help. */
function asFailure(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof DiskError || error instanceof TransientError) return error;
  if (signal.reason instanceof TransientError) return signal.reason;
  const cause = fieldOf(error, "cause");
  const reason = cause === undefined ? reasonOf(error) : `${reasonOf(error)}: ${reasonOf(cause)}`;
  const advice = "if that is all a page learns, the server may not allow it: Access-Control-Allow-Origin";
  return new TransientError(`the connection failed (${reason}; ${advice})`, { cause: error });
}
