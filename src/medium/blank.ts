/**
 * Which ranges of a file read as zeros, as far as that is remembered: all that growth added and nobody wrote, and holes
 * that were punched since. What is written there need not be filled up with zeros. Forgetting costs time, nothing else,
 * so what is remembered is bounded.
 */

/** Holes that are remembered. */
const MOST_HOLES = 4096;

interface Hole {
  start: number;
  end: number;
}

export class Blank {
  /** File bytes from here on were added by growth and never written. */
  from: number;
  /** In order; none touches another. */
  readonly #holes: Hole[] = [];

  constructor(from: number) {
    this.from = from;
  }

  /** Notes that a range was punched. */
  add(start: number, end: number): void {
    const holes = this.#holes;
    let at = this.#indexOf(start);
    if (at > 0 && holes[at - 1].end >= start) start = holes[--at].start;
    let next = at;
    while (next < holes.length && holes[next].start <= end) end = Math.max(end, holes[next++].end);
    if (holes.length - (next - at) < MOST_HOLES) holes.splice(at, next - at, { start, end });
  }

  /** Notes that a range may hold anything from now on; answers what made it read as zeros, if all of it did. */
  take(start: number, end: number): "grown" | "punched" | undefined {
    const blank = start >= this.from ? "grown" : this.#isHole(start, end) ? "punched" : undefined;
    this.from = Math.max(this.from, end);
    this.#cut(start, end);
    return blank;
  }

  /** Notes that the file ends here, and whatever growth adds reads as zeros. */
  endAt(size: number): void {
    this.from = size;
    this.#cut(size, Number.POSITIVE_INFINITY);
  }

  #isHole(start: number, end: number): boolean {
    const at = this.#indexOf(start + 1) - 1;
    return at >= 0 && this.#holes[at].start <= start && this.#holes[at].end >= end;
  }

  #cut(start: number, end: number): void {
    const holes = this.#holes;
    let at = this.#indexOf(start);
    if (at > 0 && holes[at - 1].end > start) at--;
    const kept: Hole[] = [];
    let next = at;
    for (; next < holes.length && holes[next].start < end; next++) {
      const hole = holes[next];
      if (hole.start < start) kept.push({ start: hole.start, end: start });
      if (hole.end > end) kept.push({ start: end, end: hole.end });
    }
    if (next > at) holes.splice(at, next - at, ...kept);
  }

  /** The first hole that begins at `start` or behind it. */
  #indexOf(start: number): number {
    let [low, high] = [0, this.#holes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#holes[middle].start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
