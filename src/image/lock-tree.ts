/**
 * Range locks in a balanced tree: a treap, ordered by where the ranges begin, whose nodes are the locks themselves. Each
 * knows of its subtree how far the ranges reach and when the first of them arrived, so that a search leaves out what
 * lies before a range or came after a lock.
 */

/** A lock on `first..last`, both included. */
export class RangeLock {
  /** The earlier lock that this one waits for now; there may be more. It holds if there is none. */
  blocker: RangeLock | undefined;
  /** Those for whom this one is it. */
  waiting: RangeLock[] | undefined;
  grant: (() => void) | undefined;
  refuse: ((reason: unknown) => void) | undefined;
  released = false;

  /** Where it is among those that are in no tree (range-locks.ts); -1 where it is in one. */
  place = -1;
  left: RangeLock | undefined;
  right: RangeLock | undefined;
  priority = 0;
  /** The greatest `last` in its subtree. */
  reach = 0;
  /** The least `arrival` in its subtree. */
  earliest = 0;

  constructor(
    readonly first: number,
    readonly last: number,
    readonly exclusive: boolean,
    /** Counts up from lock to lock. */
    readonly arrival: number,
  ) {}
}

type Tree = RangeLock | undefined;

export class LockTree {
  #root: Tree;

  add(lock: RangeLock): void {
    lock.priority = Math.random();
    lock.reach = lock.last;
    lock.earliest = lock.arrival;
    this.#root = insert(this.#root, lock);
  }

  delete(lock: RangeLock): void {
    this.#root = remove(this.#root, lock);
  }

  /** A lock that overlaps `first..last` and arrived before `arrival`: of those the one that begins last. */
  find(first: number, last: number, arrival: number): RangeLock | undefined {
    return find(this.#root, first, last, arrival);
  }

  /** Every lock. */
  *[Symbol.iterator](): Generator<RangeLock> {
    yield* each(this.#root);
  }
}

function find(tree: Tree, first: number, last: number, arrival: number): RangeLock | undefined {
  if (tree === undefined || tree.reach < first || tree.earliest >= arrival) return undefined;
  if (tree.first <= last) {
    const later = find(tree.right, first, last, arrival);
    if (later !== undefined) return later;
    if (tree.last >= first && tree.arrival < arrival) return tree;
  }
  return find(tree.left, first, last, arrival);
}

function insert(tree: Tree, lock: RangeLock): RangeLock {
  if (tree === undefined) return lock;
  if (precedes(lock, tree)) {
    const left = insert(tree.left, lock);
    tree.left = left;
    if (left.priority > tree.priority) {
      tree.left = left.right;
      left.right = summed(tree);
      return summed(left);
    }
  } else {
    const right = insert(tree.right, lock);
    tree.right = right;
    if (right.priority > tree.priority) {
      tree.right = right.left;
      right.left = summed(tree);
      return summed(right);
    }
  }
  return summed(tree);
}

function remove(tree: Tree, lock: RangeLock): Tree {
  if (tree === undefined) return undefined;
  if (tree === lock) return joined(tree.left, tree.right);
  if (precedes(lock, tree)) tree.left = remove(tree.left, lock);
  else tree.right = remove(tree.right, lock);
  return summed(tree);
}

/** One tree of two: all of the first come before all of the second. */
function joined(one: Tree, other: Tree): Tree {
  if (one === undefined) return other;
  if (other === undefined) return one;
  if (one.priority > other.priority) {
    one.right = joined(one.right, other);
    return summed(one);
  }
  other.left = joined(one, other.left);
  return summed(other);
}

const precedes = (one: RangeLock, other: RangeLock): boolean =>
  one.first < other.first || (one.first <= other.first && one.arrival < other.arrival);

/** A node whose children have changed. */
function summed(tree: RangeLock): RangeLock {
  const { left, right } = tree;
  let { last: reach, arrival: earliest } = tree;
  if (left !== undefined) {
    if (left.reach > reach) reach = left.reach;
    if (left.earliest < earliest) earliest = left.earliest;
  }
  if (right !== undefined) {
    if (right.reach > reach) reach = right.reach;
    if (right.earliest < earliest) earliest = right.earliest;
  }
  tree.reach = reach;
  tree.earliest = earliest;
  return tree;
}

function* each(tree: Tree): Generator<RangeLock> {
  if (tree === undefined) return;
  yield* each(tree.left);
  yield tree;
  yield* each(tree.right);
}
