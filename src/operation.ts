/**
 * What an operation is made of. An operation is a generator written once for both faces: it decides and
 * yields *requests*, and never awaits. A request is either a call that the runner makes (its promise, if it
 * returns one, is awaited by the asynchronous runner) or a set of operations that may run at the same time.
 */

/** Several operations at once; the answer is undefined once all have ended. The first error is thrown after the last has ended. */
export interface All {
  readonly all: readonly Operation<void>[];
}

export type Request = (() => unknown) | All;

export type Operation<T> = Generator<Request, T, unknown>;

/** Makes one call and answers its result. */
export function* call<T>(request: () => T | PromiseLike<T>): Operation<T> {
  return (yield request) as T;
}

/** Runs operations at the same time where the face can. */
export function* together(operations: readonly Operation<void>[]): Operation<void> {
  if (operations.length === 1) yield* operations[0]!;
  else if (operations.length > 1) yield { all: operations };
}
