/**
 * What an operation is made of. An operation is a generator written once for both faces: it decides and
 * yields *requests*, and never awaits. A request is either a call that the runner makes (its promise, if it
 * returns one, is awaited by the asynchronous runner) or a set of operations that may run at the same time.
 */

/**
 * Several operations at once; the answer is undefined once all have ended. The first error is thrown after the last has
 * ended; one of the iterator's own is its end. The runner pulls an operation when it has a place for it, so that a set
 * of millions is never in memory: what it is made of must not be changed by those that run already.
 */
export interface All {
  readonly all: Iterable<Operation<void>>;
}

export type Request = (() => unknown) | All;

export type Operation<T> = Generator<Request, T, unknown>;

/** Makes one call and answers its result. */
export function* call<T>(request: () => T | PromiseLike<T>): Operation<T> {
  return (yield request) as T;
}

/** Runs operations at the same time where the face can. */
export function* together(operations: Iterable<Operation<void>>): Operation<void> {
  if (!Array.isArray(operations) || operations.length > 1) yield { all: operations };
  else if (operations.length === 1) yield* operations[0];
}

/** An operation for each item, made when it is its turn. */
export function forEach<T>(items: Iterable<T>, operation: (item: T) => Operation<void>): Iterable<Operation<void>> {
  return Array.isArray(items) && items.length < 2 ? items.map(operation) : made(items, operation);
}

function* made<T>(items: Iterable<T>, operation: (item: T) => Operation<void>): Iterable<Operation<void>> {
  for (const item of items) yield operation(item);
}

/** Runs what may fail silently: whoever looks finds it, or an error that came first says more. */
export function* quietly(operation: Operation<void>): Operation<void> {
  try {
    yield* operation;
  } catch {
    // Nobody has to know.
  }
}
