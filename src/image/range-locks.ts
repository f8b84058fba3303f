/**
 * Locks on ranges of integers, for the asynchronous face: many readers or one writer on every number.
 * Locks are granted in the order of arrival: a lock waits for the earlier ones that it overlaps, where one of
 * the two is exclusive, and for nothing else. So overlapping requests are serial, others are not, none starves.
 *
 * However many there are, a lock waits for *one* of those in its way at a time; once that is released it looks for the
 * next. So there are never more waits to keep than locks, and any number of requests may be in flight.
 */
import { call, type Operation } from "../operation.js";
import { LockTree, RangeLock } from "./lock-tree.js";

export type { RangeLock };

/** So many locks are looked at one by one more quickly than a tree is kept. */
const FEW = 32;

/** Locks that are held, and that wait: the last ones as they came, the others in trees. */
export class RangeLocks {
  /** In no order. */
  readonly #recent: RangeLock[] = [];
  readonly #exclusive = new LockTree();
  readonly #shared = new LockTree();
  /** How many are exclusive: mostly none, and then nothing is in a reader's way. */
  #writers = 0;
  #arrivals = 0;

  /** Queues a lock on `first..last` (both included); it holds at once if it has no `blocker`, else after `granted`. */
  acquire(first: number, last: number, exclusive: boolean): RangeLock {
    const lock = this.#queue(first, last, exclusive);
    this.#block(lock);
    return lock;
  }

  /** A lock that holds at once, or undefined where it would have to wait. */
  tryAcquire(first: number, last: number, exclusive: boolean): RangeLock | undefined {
    if (this.#inTheWay(first, last, exclusive, this.#arrivals) !== undefined) return undefined;
    return this.#queue(first, last, exclusive);
  }

  /** Resolves when a queued lock holds. */
  granted(lock: RangeLock): Promise<void> {
    return new Promise((resolve, reject) => {
      if (lock.blocker === undefined) resolve();
      else Object.assign(lock, { grant: resolve, refuse: reject });
    });
  }

  /** Whoever waits waits no longer: they are refused for this reason. What is held stays held. */
  giveUp(reason: unknown): void {
    const all = [...this.#recent, ...this.#exclusive, ...this.#shared];
    const waiting = all.filter(({ blocker }) => blocker !== undefined);
    for (const lock of waiting.sort(byArrival)) lock.refuse?.(reason);
  }

  release(lock: RangeLock): void {
    this.#remove(lock);
    lock.released = true;
    if (lock.waiting === undefined) return;
    for (const next of lock.waiting.sort(byArrival)) {
      if (!next.released && !this.#block(next)) next.grant?.();
    }
  }

  #queue(first: number, last: number, exclusive: boolean): RangeLock {
    const lock = new RangeLock(first, last, exclusive, this.#arrivals++);
    lock.place = this.#recent.length;
    this.#recent.push(lock);
    if (exclusive) this.#writers++;
    return lock;
  }

  #remove(lock: RangeLock): void {
    if (lock.exclusive) this.#writers--;
    if (lock.place < 0) this.#treeOf(lock).delete(lock);
    else {
      const last = this.#recent.pop();
      if (last === undefined || last === lock) return;
      this.#recent[lock.place] = last;
      last.place = lock.place;
    }
  }

  #treeOf({ exclusive }: RangeLock): LockTree {
    return exclusive ? this.#exclusive : this.#shared;
  }

  /** Has a lock wait for one of those in its way; answers whether there is any. */
  #block(lock: RangeLock): boolean {
    const blocker = this.#inTheWay(lock.first, lock.last, lock.exclusive, lock.arrival);
    lock.blocker = blocker;
    if (blocker === undefined) return false;
    blocker.waiting ??= [];
    blocker.waiting.push(lock);
    return true;
  }

  /** Writers first: each of those that wait for the same then waits for the one before it, and is looked at once. */
  #inTheWay(first: number, last: number, exclusive: boolean, arrival: number): RangeLock | undefined {
    if (this.#writers === 0 && !exclusive) return undefined;
    if (this.#recent.length > FEW) this.#plant();
    const recent = this.#recentInTheWay(first, last, exclusive, arrival);
    if (recent?.exclusive) return recent; // it came after all in the tree
    const writer = this.#exclusive.find(first, last, arrival) ?? recent;
    return writer === undefined && exclusive ? this.#shared.find(first, last, arrival) : writer;
  }

  /** Of those in the way the writer that came last, else any. */
  #recentInTheWay(first: number, last: number, exclusive: boolean, arrival: number): RangeLock | undefined {
    let found: RangeLock | undefined;
    for (const lock of this.#recent) {
      if (lock.last < first || lock.first > last || lock.arrival >= arrival) continue;
      if (!lock.exclusive) found ??= exclusive ? lock : undefined;
      else if (!found?.exclusive || found.arrival < lock.arrival) found = lock;
    }
    return found;
  }

  /** Puts all into the trees. */
  #plant(): void {
    for (const lock of this.#recent) {
      lock.place = -1;
      this.#treeOf(lock).add(lock);
    }
    this.#recent.length = 0;
  }
}

const byArrival = (one: RangeLock, other: RangeLock): number => one.arrival - other.arrival;

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
    if (lock.blocker !== undefined) yield* call(() => locks.granted(lock));
    return yield* operation();
  } finally {
    locks.release(lock);
  }
}
