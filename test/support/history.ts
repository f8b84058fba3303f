/**
 * What a disk may hold when requests overlap, and when it is cut off: for every sector the versions that may be there,
 * from when each request began and ended.
 */
import { SECTOR, versionOf } from "./sectors.js";

/** A write of one version into some sectors. */
export interface Write {
  version: number;
  begun: number;
  /** Infinity as long as it is not. */
  done: number;
}

/** A read under way, and what its sectors may have held when it began. */
export interface Read {
  first: number;
  begun: number;
  before: Write[][];
}

/** What every sector holds at first. */
const NEVER: Write = { version: 0, begun: -1, done: -1 };

export class History {
  /** Flushes that were seen to end. */
  flushes = 0;
  /** Writes that one of them confirmed. */
  confirmed = 0;
  /** Per sector, what was written there and has not been replaced for certain. */
  readonly #sectors: Write[][];
  /** How many sectors the disk may have: the newest size last. */
  #sizes: number[];
  #time = 0;

  constructor(sectorCount: number) {
    this.#sizes = [sectorCount];
    this.#sectors = Array.from({ length: sectorCount }, () => [NEVER]);
  }

  /** The disk begins to get another size: what is added is zeros. */
  beginResize(sectorCount: number): void {
    this.#sizes.push(sectorCount);
    this.#reach(sectorCount);
  }

  /** It has that size for good; of what was cut off only writes in flight may come back. */
  endResize(): void {
    this.#sizes = this.#sizes.slice(-1);
    for (let sector = this.#sizes[0]; sector < this.#sectors.length; sector++)
      this.#sectors[sector] = [NEVER, ...this.#sectors[sector].filter(({ done }) => done === Number.POSITIVE_INFINITY)];
  }

  #reach(sectorCount: number): void {
    while (this.#sectors.length < sectorCount) this.#sectors.push([NEVER]);
  }

  /** A write begins; version 0 is a discard. */
  begin(version: number, first: number, count: number): Write {
    const write = { version, begun: ++this.#time, done: Number.POSITIVE_INFINITY };
    this.#reach(first + count);
    for (let sector = first; sector < first + count; sector++) this.#sectors[sector].push(write);
    return write;
  }

  end(write: Write): void {
    write.done = ++this.#time;
  }

  /** Answers when a flush begins. */
  beginFlush(): number {
    return ++this.#time;
  }

  /** Of the writes that were done when the flush began none may be lost: what was done before they began is gone. */
  endFlush(begun: number): void {
    this.flushes++;
    const confirmed = new Set<Write>();
    for (const [sector, writes] of this.#sectors.entries()) {
      const durable = writes.filter(({ done }) => done < begun);
      for (const write of durable) confirmed.add(write);
      this.#sectors[sector] = writes.filter(({ done }) => !durable.some((later) => done < later.begun));
    }
    this.confirmed += confirmed.size;
  }

  beginRead(first: number, count: number): Read {
    const begun = ++this.#time;
    const current = (writes: Write[]) =>
      writes.filter(({ done }) => !writes.some((later) => done < later.begun && later.done < begun));
    return { first, begun, before: this.#sectors.slice(first, first + count).map(current) };
  }

  /** What is wrong with what a read got; undefined if nothing is. */
  endRead({ first, begun, before }: Read, content: Uint8Array): string | undefined {
    const since = (sector: number) => this.#sectors[sector].filter((write) => write.begun > begun);
    return problemWith(content, first, (sector) => [...before[sector - first], ...since(sector)]);
  }

  /** What is wrong with the content of a disk that was cut off; undefined if nothing is. */
  problemWith(content: Uint8Array): string | undefined {
    const sectorCount = content.length / SECTOR;
    if (!this.#sizes.includes(sectorCount)) return `the disk has ${sectorCount} sectors, allowed: ${this.#sizes}`;
    return problemWith(content, 0, (sector) => this.#sectors[sector]);
  }

  /** Takes what a disk holds for given, as it is durable now. */
  settle(content: Uint8Array): void {
    this.#sizes = [content.length / SECTOR];
    this.#sectors.length = this.#sizes[0];
    for (const sector of this.#sectors.keys()) {
      const version = versionOf(content.subarray(sector * SECTOR, (sector + 1) * SECTOR), sector)!;
      this.#sectors[sector] = [{ version, begun: -1, done: -1 }];
    }
  }
}

function problemWith(content: Uint8Array, first: number, writesOf: (sector: number) => Write[]): string | undefined {
  for (let offset = 0; offset < content.length; offset += SECTOR) {
    const sector = first + offset / SECTOR;
    const got = versionOf(content.subarray(offset, offset + SECTOR), sector);
    const allowed = writesOf(sector).map(({ version }) => version);
    if (got === undefined) return `sector ${sector} holds what nobody wrote there, allowed: ${allowed}`;
    if (!allowed.includes(got)) return `sector ${sector} holds version ${got}, allowed: ${allowed}`;
  }
  return undefined;
}
