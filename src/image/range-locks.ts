/**
 * Locks on ranges of integers, for the asynchronous face: many readers or one writer on every number.
 * Locks are granted in the order of arrival: a lock waits for the earlier ones that it overlaps, where one of
 * the two is exclusive, and for nothing else. So overlapping requests are serial, others are not, none starves.
 */
import { call, type Operation } from "../operation.js";

export interface RangeLock {
  readonly first: number;
  readonly last: number;
  readonly exclusive: boolean;
  /** Earlier locks that this one still waits for. */
  blockers: number;
  /** Later locks that wait for this one. */
  readonly waiting: RangeLock[];
  grant?: () => void;
  refuse?: (reason: unknown) => void;
}

export class RangeLocks {
  readonly #held = new Set<RangeLock>();

  /** Queues a lock on `first..last` (both included); it holds at once if `blockers` is 0, else after `granted`. */
  acquire(first: number, last: number, exclusive: boolean): RangeLock {
    const lock: RangeLock = { first, last, exclusive, blockers: 0, waiting: [] };
    for (const other of this.#held) {
      if (!conflict(other, first, last, exclusive)) continue;
      other.waiting.push(lock);
      lock.blockers++;
    }
    this.#held.add(lock);
    return lock;
  }

  /** A lock that holds at once, or undefined where it would have to wait. */
  tryAcquire(first: number, last: number, exclusive: boolean): RangeLock | undefined {
    for (const other of this.#held) if (conflict(other, first, last, exclusive)) return undefined;
    return this.acquire(first, last, exclusive);
  }

  /** Resolves when a queued lock holds. */
  granted(lock: RangeLock): Promise<void> {
    return new Promise((resolve, reject) => {
      if (lock.blockers === 0) resolve();
      else Object.assign(lock, { grant: resolve, refuse: reject });
    });
  }

  /** Whoever waits waits no longer: they are refused for this reason. What is held stays held. */
  giveUp(reason: unknown): void {
    for (const lock of [...this.#held]) if (lock.blockers > 0) lock.refuse?.(reason);
  }

  release(lock: RangeLock): void {
    this.#held.delete(lock);
    for (const next of lock.waiting) if (--next.blockers === 0) next.grant?.();
  }
}

function conflict(other: RangeLock, first: number, last: number, exclusive: boolean): boolean {
  return other.first <= last && other.last >= first && (exclusive || other.exclusive);
}

/** Runs `operation` under a lock; without `locks` (the synchronous face: nothing else can run) just runs it. */
export function* locked<T>(
  locks: RangeLocks | undefined,
  first: number,
  last: number,
  exclusive: boolean,
  operation: () => Operation<T>,
): Operation<T> {
  if (locks === undefined) return yield* operation();
  const lock = locks.acquire(first, last, exclusive);
  try {
    if (lock.blockers > 0) yield* call(() => locks.granted(lock));
    return yield* operation();
  } finally {
    locks.release(lock);
  }
}
