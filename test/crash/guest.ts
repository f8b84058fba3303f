/**
 * What the guest may find after a crash: for every sector of the disk the versions that it wrote since the last flush,
 * and the one that was flushed. A version goes when it is certain that a newer one is durable. The disk has the size that
 * it was given last; while it is given another, it may have either.
 */
import { SECTOR } from "./crash-storage.js";
import { wordsOf } from "./words.js";

interface Version {
  bytes: Uint8Array;
  /** Times on the guest's own clock. */
  issued: number;
  /** Infinity while the request is in flight. */
  completed: number;
}

/** What one request makes of the sectors it touches. */
export type Change = readonly Version[];

/** The guest's bytes to write, or how many zeros. */
export type Source = Uint8Array | number;

export class Guest {
  #sectors: Version[][] = [];
  /** The sizes that the disk may have, in bytes, the newest last. */
  #sizes: number[];
  /** Whose bytes begin so: for messages. */
  readonly #known: Map<number, string> = new Map();
  #clock = 0;
  /** What was complete by this time is there for good. */
  #floor = 0;

  /** A guest whose disk holds `content` for good. */
  constructor(content: Uint8Array, known?: Guest) {
    if (known !== undefined) this.#known = new Map(known.#known);
    this.#sizes = [content.length];
    for (let offset = 0; offset < content.length; offset += SECTOR) {
      const bytes = content.slice(offset, offset + SECTOR);
      this.#sectors.push([{ bytes, issued: 0, completed: 0 }]);
      this.#remember(bytes, offset / SECTOR);
    }
  }

  /** The time, a tick later than before. */
  tick(): number {
    return ++this.#clock;
  }

  /** A request begins: its bytes may be there from now on. */
  issue(offset: number, source: Source): Change {
    const issued = this.tick();
    const end = offset + (typeof source === "number" ? source : source.length);
    const change: Version[] = [];
    for (let sector = Math.floor(offset / SECTOR); sector * SECTOR < end; sector++) {
      const bytes = this.#newest(sector).slice();
      const [from, to] = [Math.max(offset, sector * SECTOR), Math.min(end, (sector + 1) * SECTOR)];
      if (typeof source === "number") bytes.fill(0, from - sector * SECTOR, to - sector * SECTOR);
      else bytes.set(source.subarray(from - offset, to - offset), from - sector * SECTOR);
      change.push({ bytes, issued, completed: Number.POSITIVE_INFINITY });
      this.#sectors[sector].push(change[change.length - 1]);
      this.#remember(bytes, sector);
    }
    return change;
  }

  /** A request has ended. */
  complete(change: Change): void {
    const completed = this.tick();
    for (const version of change) version.completed = completed;
  }

  /** The disk's size begins to change: what it grows by reads as zeros. */
  resizing(size: number): void {
    this.#sizes.push(size);
    for (let sector = this.#sectors.length; sector * SECTOR < size; sector++)
      this.#sectors.push([{ bytes: new Uint8Array(SECTOR), issued: 0, completed: 0 }]);
  }

  /** It has changed, for good. */
  resized(): void {
    this.#sizes = this.#sizes.slice(-1);
    this.#sectors = this.#sectors.slice(0, this.#sizes[0] / SECTOR);
  }

  /** A flush that began at `began` has ended: what was superseded before it began is gone for good. */
  flushed(began: number): void {
    this.#floor = Math.max(this.#floor, began);
    this.#sectors.forEach((versions, sector) => {
      if (versions.length === 1) return;
      const durable = versions.filter(({ completed }) => completed < began);
      const newest = Math.max(...durable.map(({ issued }) => issued));
      this.#sectors[sector] = versions.filter(({ completed }) => completed >= newest);
    });
  }

  /** The guest's machine stopped, the power stayed on: what it finds is the newest version, the others may come back yet. */
  adopt(content: Uint8Array): void {
    const now = this.tick();
    this.#sectors.forEach((versions, sector) => {
      const bytes = content.slice(sector * SECTOR, (sector + 1) * SECTOR);
      for (const version of versions) version.completed = Math.min(version.completed, now);
      if (versions.length > 1) versions.push({ bytes, issued: now + 1, completed: now + 1 });
    });
    this.#floor = this.tick();
  }

  /**
   * What is wrong with a content where the process alone has died: it must be what the guest had made of the disk when
   * one of its requests had just completed, but for the sectors of requests in flight. Undefined if nothing is.
   */
  orderFault(content: Uint8Array): string | undefined {
    const words = wordsOf(content);
    const times = new Set([this.#floor]);
    for (const { completed } of this.#sectors.flat())
      if (completed > this.#floor && completed < Number.POSITIVE_INFINITY) times.add(completed);
    let possible = [...times];
    for (let sector = 0; sector * SECTOR < content.length; sector++) {
      const before = possible;
      possible = before.filter((time) => this.#reads(words, sector, time));
      if (possible.length > 0) continue;
      const got = this.#describe(content.subarray(sector * SECTOR, (sector + 1) * SECTOR), sector);
      return `out of order: what the sectors before show was so at time ${before.join(" or ")}, but then ${got}`;
    }
    return undefined;
  }

  /** Whether a sector reads as it did at a time, or as a request in flight leaves it. */
  #reads(content: Uint32Array, sector: number, time: number): boolean {
    const versions = this.#sectors[sector];
    const then = versions.findLast(({ completed }) => completed <= time);
    return versions.some(
      (version) =>
        (version === then || version.completed === Number.POSITIVE_INFINITY) &&
        equalAt(content, sector * SECTOR, version.bytes),
    );
  }

  /** What is wrong with a content of the disk; undefined if nothing is. */
  fault(content: Uint8Array): string | undefined {
    if (!this.#sizes.includes(content.length))
      return `the disk has ${content.length} bytes, not ${this.#sizes.join(" or ")}`;
    const words = wordsOf(content);
    for (let sector = 0; sector * SECTOR < content.length; sector++) {
      const versions = this.#sectors[sector];
      const found = versions.findLast(({ bytes }) => equalAt(words, sector * SECTOR, bytes));
      if (found === undefined) return this.#describe(content.subarray(sector * SECTOR, (sector + 1) * SECTOR), sector);
    }
    return undefined;
  }

  #newest(sector: number): Uint8Array {
    const versions = this.#sectors[sector];
    return versions[versions.length - 1].bytes;
  }

  #remember(bytes: Uint8Array, sector: number): void {
    const word = firstWord(bytes);
    if (word !== 0 && !this.#known.has(word)) this.#known.set(word, `a version of sector ${sector}`);
  }

  #describe(bytes: Uint8Array, sector: number): string {
    const zero = bytes.every((byte) => byte === 0);
    const owner = zero ? "zeros" : (this.#known.get(firstWord(bytes)) ?? "bytes that were never written");
    const versions = this.#sectors[sector].map(({ bytes: allowed }) => firstWord(allowed).toString(16));
    return `sector ${sector} reads as ${owner} (${firstWord(bytes).toString(16)}), not as one of the versions it may have (${versions.join(", ")})`;
  }
}

const firstWord = (bytes: Uint8Array): number =>
  (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;

/** Whether the bytes of a sector stand at `offset`: compared in words, as this is most of what the simulator does. */
function equalAt(content: Uint32Array, offset: number, bytes: Uint8Array): boolean {
  const words = wordsOf(bytes);
  const start = offset / 4;
  for (let index = 0; index < words.length; index++) if (content[start + index] !== words[index]) return false;
  return true;
}
