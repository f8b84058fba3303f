/**
 * The gate of an open disk of a bundle: requests pass it, any number at a time; who changes what lies behind it waits until
 * all of them have ended, and lets no others pass meanwhile. They wait in the order in which they came.
 */
import { call, type Operation } from "../operation.js";

export class Gate {
  #inside = 0;
  /** Who waits for the last request to leave. */
  #onEmpty: (() => void) | undefined;
  /** Resolves when the gate is open again; undefined while it is. */
  #shut: Promise<void> | undefined;
  #open = () => {};

  /** Makes a request, now or when the gate is open. */
  pass<T>(request: () => Promise<T>): Promise<T> {
    if (this.#shut !== undefined) return this.#shut.then(() => this.pass(request));
    this.#inside++;
    const answer = request();
    answer.then(this.#leave, this.#leave);
    return answer;
  }

  /** Runs an operation while no request is inside. One at a time: the bundle's verbs wait for each other. */
  *exclusively<T>(operation: () => Operation<T>): Operation<T> {
    this.#shut = new Promise((resolve) => {
      this.#open = resolve;
    });
    try {
      if (this.#inside > 0)
        yield* call(
          () =>
            new Promise<void>((resolve) => {
              this.#onEmpty = resolve;
            }),
        );
      return yield* operation();
    } finally {
      this.#shut = undefined;
      this.#open();
    }
  }

  readonly #leave = (): void => {
    if (--this.#inside > 0) return;
    this.#onEmpty?.();
    this.#onEmpty = undefined;
  };
}
