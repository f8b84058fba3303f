/** The two runners: they carry out an operation's requests, with promises or without. The only logic that exists twice. */
import type { All, Operation } from "./operation.js";
import { DISK_SYNC_NEEDS, requireNow } from "./promises.js";
import { closedError } from "./requests.js";
import { overdueTurn } from "./turn.js";

/** Operations of one `all` that are in flight at once: enough to keep a device busy, few enough to bound memory. */
const MAX_PARALLEL = 32;

/** Runs an operation over synchronous storages: a promise is refused, with a TypeError. */
export function runSync<T>(operation: Operation<T>): T {
  let step = operation.next();
  while (!step.done) {
    const request = step.value;
    let answer: unknown;
    try {
      answer = typeof request === "function" ? request() : runAllSync(request);
      requireNow(answer, DISK_SYNC_NEEDS);
    } catch (error) {
      step = operation.throw(error);
      continue;
    }
    step = operation.next(answer);
  }
  return step.value;
}

/** What operations run on, and may be given up meanwhile: then no further request of theirs is carried out. */
interface Ground {
  readonly abandoned: boolean;
}

/** Runs an operation over storages of either kind. However long it takes, others get their turns of the event loop. */
export async function runAsync<T>(operation: Operation<T>, ground?: Ground): Promise<T> {
  let step = operation.next();
  while (!step.done) {
    const request = step.value;
    let answer: unknown;
    try {
      if (ground?.abandoned) throw closedError();
      answer = await (typeof request === "function" ? request() : runAllAsync(request, ground));
      const turn = overdueTurn();
      if (turn !== undefined) await turn;
    } catch (error) {
      step = operation.throw(error);
      continue;
    }
    step = operation.next(answer);
  }
  return step.value;
}

function runAllSync({ all }: All): void {
  const queue = new Queue(all);
  for (let operation = queue.next(); operation !== undefined; operation = queue.next()) {
    try {
      runSync(operation);
    } catch (error) {
      queue.fail(error);
    }
  }
  queue.settle();
}

async function runAllAsync({ all }: All, ground?: Ground): Promise<void> {
  const queue = new Queue(all, ground);
  const worker = async () => {
    for (let operation = queue.next(); operation !== undefined; operation = queue.next()) {
      try {
        await runAsync(operation, ground);
      } catch (error) {
        queue.fail(error);
      }
      const turn = overdueTurn(); // they may make no request at all
      if (turn !== undefined) await turn;
    }
  };
  const workers: Promise<void>[] = [];
  while (workers.length < MAX_PARALLEL && !queue.ended) workers.push(worker());
  await Promise.all(workers);
  queue.settle();
}

/** The operations of an `all`, pulled by whoever has a place for the next one, and the first error among them. */
class Queue {
  readonly #operations: Iterator<Operation<void>>;
  readonly #ground: Ground | undefined;
  #failure: { error: unknown } | undefined;
  ended = false;

  constructor(all: Iterable<Operation<void>>, ground?: Ground) {
    this.#operations = all[Symbol.iterator]();
    this.#ground = ground;
  }

  next(): Operation<void> | undefined {
    if (this.ended) return undefined;
    try {
      if (this.#ground?.abandoned) throw closedError(); // there may be millions more
      const step = this.#operations.next();
      if (!step.done) return step.value;
    } catch (error) {
      this.fail(error);
    }
    this.ended = true;
    return undefined;
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Once all have ended. */
  settle(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
