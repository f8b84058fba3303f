/**
 * What was noted of changes goes into the dirty bitmaps of the file. A bitmap's clusters are changed in place: bits are only
 * added, and as long as the image is open nobody believes them. Where a cluster of bits has no place yet it gets one,
 * and the extension is written anew.
 */
import { bitsBeside } from "../engine/create.js";
import type { DirtyBits } from "../engine/dirty.js";
import { ALL_CLEAR, ALL_SET, bitCountOf } from "../format/extension.js";
import type { Operation } from "../operation.js";
import { type Bitmap, bitmapsOf, type Section } from "./extension.js";
import { allocateOwn, type OwnCluster, releaseOwn, replaceExtension } from "./extension-write.js";
import { sectorsToBytes } from "./grid.js";
import type { Image } from "./image.js";
import { type SectorRun, Tracker } from "./tracker.js";

/** How much of a bitmap is changed at once, in bytes. */
const BLOCK_SIZE = 4096;

/** Notes changes from now on, if there is a bitmap to be kept up to date; what was noted before stays noted. */
export function track(image: Image): void {
  const { header, tables, engine, readOnly, tracker: before } = image;
  const bitmaps = readOnly ? [] : bitmapsOf(tables.extension);
  const finest = Math.min(...bitmaps.map(({ granularity }) => granularity));
  if (bitmaps.length > 0 && before?.sectorCount === header.sectorCount && before.finest === finest) return;
  image.tracker = bitmaps.length === 0 ? undefined : new Tracker(engine, header.sectorCount, finest);
  for (const { from, to } of before?.runs({ from: 0, to: header.sectorCount }) ?? [])
    image.tracker?.note(sectorsToBytes(from), sectorsToBytes(to - from));
  before?.release();
}

/** Brings the bitmaps up to what was noted, stale ones, too: what they miss is what was changed before. The caller keeps others from flushing. */
export function* saveMarks(image: Image): Operation<void> {
  const { tracker } = image;
  const taken = tracker?.take();
  if (tracker === undefined || taken === undefined) return;
  const all = { from: 0, to: tracker.sectorCount };
  try {
    yield* setBits(image, () => tracker.runsOf(taken, all));
  } catch (error) {
    tracker.restore(taken);
    throw error;
  }
  tracker.recycle(taken);
}

/** Sets the bits of runs in every bitmap; where a cluster of theirs comes or goes, the extension is written anew. */
function* setBits(image: Image, runs: () => Iterable<SectorRun>): Operation<void> {
  const sections = image.tables.extension?.sections ?? [];
  const bits = bitsBeside(image.engine, 8 * BLOCK_SIZE);
  const drafts: Draft[] = [];
  try {
    for (const section of sections) {
      if (section.bitmap === undefined) continue;
      const draft = new Draft(image, section, section.bitmap, bits);
      drafts.push(draft);
      yield* draft.set(runs());
    }
  } catch (error) {
    for (const { sector } of drafts.flatMap(({ allocated }) => allocated)) yield* releaseOwn(image, sector);
    throw error;
  }
  bits.release(); // only where all went well: a read that failed may still go on
  const changed = new Map(drafts.filter(({ moved }) => moved).map((draft) => [draft.section, draft.result]));
  if (changed.size > 0)
    yield* replaceExtension(
      image,
      sections.map((section) => changed.get(section) ?? section),
    );
}

/** A bitmap that is being changed: its bits in place, its table in a copy. */
class Draft {
  readonly section: Section;
  readonly allocated: OwnCluster[] = [];
  readonly #image: Image;
  readonly #bitmap: Bitmap;
  /** The bitmap's own, or a copy that was changed. */
  #l1: Float64Array;
  readonly #block: Block;
  /** Its table is another one. */
  moved = false;

  constructor(image: Image, section: Section, bitmap: Bitmap, bits: DirtyBits) {
    this.section = section;
    this.#image = image;
    this.#bitmap = bitmap;
    this.#l1 = bitmap.l1;
    this.#block = new Block(image, bits);
  }

  get result(): Section {
    return { ...this.section, bitmap: { ...this.#bitmap, l1: this.#l1 } };
  }

  /** Sets the bits of runs, which are in order. */
  *set(runs: Iterable<SectorRun>): Operation<void> {
    const { granularity, sectorCount } = this.#bitmap;
    const bitCount = bitCountOf(sectorCount, granularity);
    const bitsPerPage = 8 * this.#image.clusterSize;
    for (const { from, to } of runs) {
      const end = Math.min(Math.ceil(to / granularity), bitCount);
      for (let bit = Math.floor(from / granularity); bit < end; ) {
        const page = Math.floor(bit / bitsPerPage);
        const start = page * bitsPerPage;
        const stop = Math.min(end, start + bitsPerPage);
        yield* this.#setInPage(page, bit - start, stop - start, Math.min(bitsPerPage, bitCount - start));
        bit = stop;
      }
    }
    yield* this.#block.write();
  }

  *#setInPage(page: number, from: number, to: number, bitCount: number): Operation<void> {
    if (this.#l1[page] === ALL_SET) return;
    if (this.#l1[page] === ALL_CLEAR) yield* this.#place(page, to - from === bitCount);
    if (this.#l1[page] > ALL_SET) yield* this.#block.set(sectorsToBytes(this.#l1[page]), from, to);
  }

  /** Gives bits that are all clear a cluster, or, where all are to be set, none. */
  *#place(page: number, whole: boolean): Operation<void> {
    if (!this.moved) this.#l1 = this.#l1.slice();
    this.moved = true;
    if (whole) {
      this.#l1[page] = ALL_SET;
      return;
    }
    const { medium, clusterSize } = this.#image;
    const own = yield* allocateOwn(this.#image);
    this.allocated.push(own);
    this.#l1[page] = own.sector;
    if (!own.blank) yield* medium.writeZeros(sectorsToBytes(own.sector), clusterSize);
  }
}

/** The part of a bitmap's cluster that is being changed. */
class Block {
  readonly #image: Image;
  readonly #bits: DirtyBits;
  /** Where it lies in the file; -1 for none. */
  #at = -1;
  #length = 0;
  #changed = false;

  constructor(image: Image, bits: DirtyBits) {
    this.#image = image;
    this.#bits = bits;
  }

  /** Sets bits of the cluster at `start`. */
  *set(start: number, from: number, to: number): Operation<void> {
    const bitsPerBlock = 8 * BLOCK_SIZE;
    while (from < to) {
      const first = Math.floor(from / bitsPerBlock) * bitsPerBlock;
      if (start + first / 8 !== this.#at) yield* this.#read(start, first / 8);
      const stop = Math.min(to, first + bitsPerBlock);
      if (this.#bits.mark(from - first, stop - first) > 0) this.#changed = true;
      from = stop;
    }
  }

  /** Writes it where it was changed. */
  *write(): Operation<void> {
    if (this.#changed) yield* this.#image.medium.write(this.#bits.bytes.slice(0, this.#length), this.#at);
    this.#changed = false;
  }

  *#read(start: number, offset: number): Operation<void> {
    yield* this.write();
    this.#length = Math.min(BLOCK_SIZE, this.#image.clusterSize - offset);
    this.#at = start + offset;
    yield* this.#image.medium.read(this.#bits.bytes.subarray(0, this.#length), this.#at);
  }
}
