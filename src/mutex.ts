/**
 * Mutexes, for the asynchronous face: one holder at a time, in the order of arrival. And the order of all the locks of a
 * disk: who holds one takes only those that come after it, so that nobody waits in a circle.
 *
 *   clusters   those that a request touches, or bytes in them (image/lock-clusters.ts), all in close, check and repair; once a request
 *   flush      the line of what the file does not show yet (publish.ts), from its beginning to its end
 *   mark       in_use, before the first change
 *   grow       the file's length
 *   data       the storage's own flush
 *
 * Whoever waits for a flush may hold clusters; so who flushes never asks for clusters. The locks of a base, which is a
 * disk of its own, come after all of these.
 */
import { call, type Operation } from "./operation.js";

/** The locks of a disk in the order in which they are taken. */
export const LOCK_ORDER = ["clusters", "flush", "mark", "grow", "data"] as const;

type MutexName = Exclude<(typeof LOCK_ORDER)[number], "clusters">;

interface Waiter {
  grant: () => void;
  refuse: (reason: unknown) => void;
}

export class Mutex {
  #held = false;
  readonly #waiting = new Set<Waiter>();

  constructor(readonly name: MutexName) {}

  /** Takes the mutex if nobody has it. */
  tryAcquire(): boolean {
    if (this.#held) return false;
    this.#held = true;
    return true;
  }

  /** Resolves once the mutex is the caller's, after those who came before. */
  async acquire(): Promise<void> {
    if (!this.tryAcquire()) await new Promise<void>((grant, refuse) => this.#waiting.add({ grant, refuse }));
  }

  /** Hands the mutex to whoever has waited longest. */
  release(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next.grant(); // it stays held
      return;
    }
    this.#held = false;
  }

  /** Whoever waits waits no longer: they are refused for this reason. Who holds it keeps it. */
  giveUp(reason: unknown): void {
    for (const { refuse } of this.#waiting) refuse(reason);
    this.#waiting.clear();
  }
}

/** Runs `operation` while the mutex is held; without one (the synchronous face: nothing else can run) just runs it. */
export function* exclusively<T>(mutex: Mutex | undefined, operation: () => Operation<T>): Operation<T> {
  if (mutex === undefined) return yield* operation();
  if (!mutex.tryAcquire()) yield* call(() => mutex.acquire());
  try {
    return yield* operation();
  } finally {
    mutex.release();
  }
}
