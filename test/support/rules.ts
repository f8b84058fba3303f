/**
 * A storage that watches the order in which a disk does things, and throws where a loss of power at that moment
 * could show a guest another sector's data (the five rules of docs/safety.md). Nothing here is of Node.
 */
import type { StorageSync } from "../../src/storage/storage.js";

const IN_USE_OPEN = 0x746f6e59;
const HEADER_SIZE = 64;

/** The header fields and entries that the rules are about, in bytes of the file. */
interface Tables {
  inUse: number;
  unit: number;
  clusterSize: number;
  dataStart: number;
  bat: Uint32Array;
}

export class RuleStorage implements StorageSync {
  readonly #inner: StorageSync;
  /** What the file surely holds after a loss of power. */
  #durable: Tables | undefined;
  #durableSize = 0;
  /** Something was written, or the size changed, since the last flush. */
  #pending = false;
  /** Sectors whose first content, since no entry of the file led to them, is not durable yet. */
  readonly #first = new Set<number>();
  /** Sectors whose first content is durable: writing them again leaves two versions of the same guest sector. */
  readonly #settled = new Set<number>();
  /** What went wrong: the disk may have caught the error. */
  readonly broken: string[] = [];

  constructor(inner: StorageSync) {
    this.#inner = inner;
    if (inner.size() < HEADER_SIZE) return;
    this.#durable = this.#tables();
    this.#durableSize = inner.size();
    for (const start of placesOf(this.#durable).keys()) {
      for (const sector of this.#sectors(start, start + this.#durable.clusterSize)) this.#settled.add(sector);
    }
  }

  read(buffer: Uint8Array, offset: number): number {
    return this.#inner.read(buffer, offset);
  }

  write(buffer: Uint8Array, offset: number): number {
    if (this.#durable === undefined) return this.#inner.write(buffer, offset);
    const before = this.#tables();
    const moved = this.#inner.write(buffer, offset);
    const after = this.#tables();
    if (before.inUse === after.inUse) this.#requireMark(`writing at ${offset}`);
    else this.#checkMark(after);
    this.#checkEntries(before, after);
    this.#pending = true;
    for (const sector of this.#sectors(offset, offset + moved)) {
      if (!this.#settled.has(sector)) this.#first.add(sector);
    }
    return moved;
  }

  size(): number {
    return this.#inner.size();
  }

  truncate(size: number): void {
    if (this.#durable !== undefined) {
      this.#requireMark("truncate");
      const needed = Math.max(0, ...placesOf(this.#durable).keys());
      if (needed > 0 && size < needed + this.#durable.clusterSize && size < this.#inner.size()) {
        this.#break(`5: the file is cut to ${size} bytes, and the durable BAT leads to ${needed}`);
      }
    }
    this.#inner.truncate(size);
    this.#pending = true;
  }

  flush(): void {
    this.#inner.flush();
    if (this.#inner.size() < HEADER_SIZE) return;
    const tables = this.#tables();
    if (tables.clusterSize > 0) this.#durable = tables;
    // What growth added reads as zeros, which is a version, too.
    for (const sector of this.#sectors(this.#durableSize, this.#inner.size())) this.#settled.add(sector);
    this.#durableSize = this.#inner.size();
    this.#pending = false;
    for (const sector of this.#first) this.#settled.add(sector);
    this.#first.clear();
  }

  close(): void {
    this.#inner.close();
  }

  /** Rules 1 and 4: the mark is durable before any change, and cleared when nothing else is pending. */
  #checkMark(after: Tables): void {
    if (after.inUse !== IN_USE_OPEN && this.#pending) this.#break("4: the mark is cleared before all is durable");
  }

  /** A cluster that no entry leads to has no content any more. */
  #forget(start: number, length: number): void {
    if (start === 0) return;
    for (const sector of this.#sectors(start, start + length)) this.#settled.delete(sector);
  }

  #requireMark(doing: string): void {
    const cleared = this.#durable?.inUse !== IN_USE_OPEN || this.#tables().inUse !== IN_USE_OPEN;
    if (cleared) this.#break(`1: ${doing}, and the mark is not durable`);
  }

  /** Rules 2 and 3: an entry that appears leads to a durable cluster that no durable entry of another cluster leads to. */
  #checkEntries(before: Tables, after: Tables): void {
    const durablePlaces = placesOf(this.#durable!);
    for (const [guest, entry] of after.bat.entries()) {
      if (entry === before.bat[guest]) continue;
      this.#forget(before.bat[guest] * before.unit, before.clusterSize);
      if (entry === 0) continue;
      const start = entry * after.unit;
      const end = start + after.clusterSize;
      const pending = this.#sectors(start, end).find((sector) => this.#first.has(sector));
      if (pending) this.#break(`2: cluster ${guest} leads to ${start}, and sector ${pending} is not durable`);
      if (end > this.#durableSize)
        this.#break(`2: cluster ${guest} leads beyond the durable size ${this.#durableSize}`);
      const owner = durablePlaces.get(start);
      if (owner !== undefined && owner !== guest)
        this.#break(`3: clusters ${guest} and ${owner} both lead to ${start}`);
    }
  }

  /** The sectors that a range of the file touches. */
  #sectors(start: number, end: number): number[] {
    const first = Math.floor(start / 512);
    return Array.from({ length: Math.ceil(end / 512) - first }, (_, index) => first + index);
  }

  #break(rule: string): void {
    this.broken.push(`rule ${rule}`);
  }

  #tables(): Tables {
    const header = new DataView(this.#bytes(0, HEADER_SIZE));
    const [tracks, entries] = [header.getUint32(28, true), header.getUint32(32, true)];
    return {
      inUse: header.getUint32(44, true),
      clusterSize: tracks * 512,
      unit: header.getUint8(6) === "F".charCodeAt(0) ? tracks * 512 : 512,
      dataStart: header.getUint32(48, true) * 512,
      bat: new Uint32Array(this.#bytes(HEADER_SIZE, 4 * entries)),
    };
  }

  #bytes(offset: number, length: number): ArrayBuffer {
    const bytes = new Uint8Array(length);
    this.#inner.read(bytes, offset);
    return bytes.buffer;
  }
}

/** Which guest cluster lies at each byte of the file. */
function placesOf({ bat, unit }: Tables): Map<number, number> {
  return new Map([...bat].flatMap((entry, guest): [number, number][] => (entry === 0 ? [] : [[entry * unit, guest]])));
}
