/**
 * Which parts of an open disk were changed since its bitmaps were last brought up to date: one set of bits for all of
 * them, as fine as the finest, or coarser where that would take too much memory.
 */
import { bitsBeside } from "../engine/create.js";
import type { DirtyBits } from "../engine/dirty.js";
import type { Engine } from "../engine/engine.js";
import { bitCountOf } from "../format/extension.js";
import { sectorsToBytes } from "./grid.js";

/** 32 MiB of memory. */
const MOST_BITS = 2 ** 28;

/** A run of the disk, in sectors. */
export interface SectorRun {
  from: number;
  to: number;
}

export class Tracker {
  /** The disk's size in sectors. */
  readonly sectorCount: number;
  /** Sectors a bit. */
  readonly granularity: number;
  /** The granularity that was asked for. */
  readonly finest: number;
  readonly #bytesPerBit: number;
  readonly #engine: Pick<Engine, "kind">;
  #marks: Marks;
  /** Bits that were taken and are clear again. */
  #spare: Marks | undefined;

  /** @param finest sectors that a bit of the finest bitmap stands for */
  constructor(engine: Pick<Engine, "kind">, sectorCount: number, finest: number) {
    let granularity = finest;
    while (sectorCount / granularity > MOST_BITS) granularity *= 2;
    this.sectorCount = sectorCount;
    this.granularity = granularity;
    this.finest = finest;
    this.#bytesPerBit = sectorsToBytes(granularity);
    this.#engine = engine;
    this.#marks = new Marks(bitsBeside(engine, bitCountOf(sectorCount, granularity)));
  }

  /** Notes that a range of guest bytes may have changed. */
  note(offset: number, length: number): void {
    if (length > 0) this.#marks.add(Math.floor(offset / this.#bytesPerBit), this.#endOf(offset + length));
  }

  #endOf(offset: number): number {
    return Math.min(Math.ceil(offset / this.#bytesPerBit), this.#marks.bits.bitCount);
  }

  /** Hands out what was noted, and begins anew; undefined where nothing was. */
  take(): Marks | undefined {
    const taken = this.#marks;
    if (taken.from >= taken.to) return undefined;
    this.#marks = this.#spare ?? new Marks(bitsBeside(this.#engine, taken.bits.bitCount));
    this.#spare = undefined;
    return taken;
  }

  /** Takes marks back that could not be dealt with: they join those that were noted since. */
  restore(taken: Marks): void {
    const { bits, from, to } = taken;
    for (let at = bits.nextSet(from); at < to; ) {
      const end = bits.nextClear(at);
      this.#marks.add(at, end);
      at = bits.nextSet(end);
    }
    this.recycle(taken);
  }

  /** Takes back the bits of marks that have been dealt with. */
  recycle(taken: Marks): void {
    taken.clear();
    this.#spare = taken;
  }

  /** Gives its memory back. */
  release(): void {
    this.#marks.bits.release();
    this.#spare?.bits.release();
  }

  /** The runs that were noted in a range of sectors, and not taken. */
  runs(range: SectorRun): Generator<SectorRun> {
    return this.runsOf(this.#marks, range);
  }

  /** The same of marks that were taken. */
  *runsOf(marks: Marks, { from, to }: SectorRun): Generator<SectorRun> {
    const { granularity, sectorCount } = this;
    const end = Math.min(marks.to, Math.ceil(to / granularity));
    const { bits } = marks;
    for (let at = bits.nextSet(Math.max(marks.from, Math.floor(from / granularity))); at < end; ) {
      const next = Math.min(end, bits.nextClear(at));
      yield { from: Math.max(from, at * granularity), to: Math.min(to, next * granularity, sectorCount) };
      at = bits.nextSet(next);
    }
  }
}

/** Bits, and between which of them any may be set. */
export class Marks {
  from = Number.POSITIVE_INFINITY;
  to = 0;

  constructor(readonly bits: DirtyBits) {}

  add(from: number, to: number): void {
    this.bits.mark(from, to);
    if (from < this.from) this.from = from;
    if (to > this.to) this.to = to;
  }

  clear(): void {
    if (this.from < this.to) this.bits.clear(this.from, this.to);
    this.from = Number.POSITIVE_INFINITY;
    this.to = 0;
  }
}
