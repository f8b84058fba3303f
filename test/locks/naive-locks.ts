/** Locks on ranges as they are meant, in the simplest way: each waits for all before it that are in its way. The oracle of the tests. */
export interface NaiveLock {
  readonly first: number;
  readonly last: number;
  readonly exclusive: boolean;
  /** Earlier locks that this one still waits for. */
  blockers: number;
  /** Later locks that wait for this one. */
  readonly waiting: NaiveLock[];
  grant?: () => void;
  refuse?: (reason: unknown) => void;
}

export class NaiveLocks {
  readonly #held = new Set<NaiveLock>();

  /** Queues a lock on `first..last` (both included); it holds at once if `blockers` is 0, else after `granted`. */
  acquire(first: number, last: number, exclusive: boolean): NaiveLock {
    const lock: NaiveLock = { first, last, exclusive, blockers: 0, waiting: [] };
    for (const other of this.#held) {
      if (!conflict(other, first, last, exclusive)) continue;
      other.waiting.push(lock);
      lock.blockers++;
    }
    this.#held.add(lock);
    return lock;
  }

  /** A lock that holds at once, or undefined where it would have to wait. */
  tryAcquire(first: number, last: number, exclusive: boolean): NaiveLock | undefined {
    for (const other of this.#held) if (conflict(other, first, last, exclusive)) return undefined;
    return this.acquire(first, last, exclusive);
  }

  /** Resolves when a queued lock holds. */
  granted(lock: NaiveLock): Promise<void> {
    return new Promise((resolve, reject) => {
      if (lock.blockers === 0) resolve();
      else Object.assign(lock, { grant: resolve, refuse: reject });
    });
  }

  /** Whoever waits waits no longer: they are refused for this reason. What is held stays held. */
  giveUp(reason: unknown): void {
    for (const lock of [...this.#held]) if (lock.blockers > 0) lock.refuse?.(reason);
  }

  release(lock: NaiveLock): void {
    this.#held.delete(lock);
    for (const next of lock.waiting) if (--next.blockers === 0) next.grant?.();
  }
}

function conflict(other: NaiveLock, first: number, last: number, exclusive: boolean): boolean {
  return other.first <= last && other.last >= first && (exclusive || other.exclusive);
}
