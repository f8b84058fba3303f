/** The two runners: they carry out an operation's requests, with promises or without. The only logic that exists twice. */
import { closedError } from "./image/image.js";
import type { All, Operation } from "./operation.js";
import { DISK_SYNC_NEEDS, requireNow } from "./promises.js";
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
  const errors: unknown[] = [];
  for (const operation of all) {
    try {
      runSync(operation);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

async function runAllAsync({ all }: All, ground?: Ground): Promise<void> {
  const errors: unknown[] = [];
  const queue = all.values();
  const worker = async () => {
    for (const operation of queue) {
      try {
        await runAsync(operation, ground);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, all.length) }, worker));
  if (errors.length > 0) throw errors[0];
}
