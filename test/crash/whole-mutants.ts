/**
 * Engines that break what extension, bitmaps, resize and compact rest on, as `mutants.ts` has them for the guest's own
 * requests.
 */
import { vi } from "vitest";
import { Tracker } from "../../src/image/tracker.js";
import { FIELD, fieldOf } from "../support/image.js";
import { readExtension } from "../support/read-extension.js";
import { SECTOR } from "./crash-storage.js";
import { GUEST_STEPS, type Step } from "./history.js";
import { saysClosed } from "./judge.js";
import { isHeader, type Mutant, Passing, wrapped } from "./mutants.js";

/** Of a flush and a write of the header that follows it and changes these fields, the write comes first. */
function earlyHeader(fields: readonly number[]) {
  return class EarlyHeader extends Passing {
    #owed = false;

    override write(buffer: Uint8Array, offset: number): number {
      const early = isHeader(offset) && changes(this.inner.cached(), buffer, fields);
      if (!early) this.settle();
      const moved = super.write(buffer, offset);
      this.settle();
      return moved;
    }

    override truncate(size: number): void {
      this.settle();
      super.truncate(size);
    }

    override flush(): void {
      this.settle();
      this.#owed = true;
    }

    settle(): void {
      if (this.#owed) super.flush();
      this.#owed = false;
    }
  };
}

/** A write of the header that changes these fields comes after what is done after it. */
function lateHeader(fields: readonly number[]) {
  return class LateHeader extends Passing {
    #late: Uint8Array | undefined;
    #skipping = false;

    override write(buffer: Uint8Array, offset: number): number {
      if (!isHeader(offset)) return super.write(buffer, offset);
      this.settle();
      this.#skipping = changes(this.inner.cached(), buffer, fields);
      this.#late = this.#skipping ? buffer.slice() : undefined;
      return this.#skipping ? buffer.length : super.write(buffer, offset);
    }

    override flush(): void {
      if (!this.#skipping) this.#write();
      if (!this.#skipping) super.flush();
      this.#skipping = false;
    }

    settle(): void {
      if (this.#write()) super.flush();
    }

    #write(): boolean {
      const late = this.#late;
      this.#late = undefined;
      if (late !== undefined) super.write(late, 0);
      return late !== undefined;
    }
  };
}

/** While the disk is resized nothing is flushed before the header has its new size. */
class LateZeros extends Passing {
  #resized = false;

  override write(buffer: Uint8Array, offset: number): number {
    const before = this.inner.cached();
    if (this.step === "resize" && isHeader(offset)) {
      this.#resized = changes(before, buffer, [FIELD.sectorCountLow]);
      if (!this.#resized) super.flush();
    }
    const moved = super.write(buffer, offset);
    if (isHeader(offset)) super.flush();
    return moved;
  }

  override flush(): void {
    if (this.step !== "resize" || this.#resized) super.flush();
  }

  settle(): void {
    this.#resized = false;
    super.flush();
  }
}

const changes = (before: Uint8Array, after: Uint8Array, fields: readonly number[]): boolean =>
  fields.some((field) => fieldOf(before, field) !== fieldOf(after, field));

/** While the disk is compacted, entries reach the file after the flush that they ought to come before. */
class LateMoves extends Passing {
  #late: [Uint8Array, number][] = [];

  override write(buffer: Uint8Array, offset: number): number {
    if (this.step === "compact" && this.isBat(offset)) {
      this.#late.push([buffer.slice(), offset]);
      return buffer.length;
    }
    if (isHeader(offset)) this.flush();
    return super.write(buffer, offset);
  }

  override flush(): void {
    super.flush();
    this.settle();
  }

  settle(): void {
    for (const [bytes, offset] of this.#late.splice(0)) super.write(bytes, offset);
  }
}

/** What goes into a bitmap's clusters reaches the file after the header says that they are current. */
class LateBits extends Passing {
  #late: [Uint8Array, number][] = [];
  #closing = false;

  closing(): void {
    this.#closing = true;
  }

  override write(buffer: Uint8Array, offset: number): number {
    if (this.#closing && bitmapSectors(this.inner.cached()).has(Math.floor(offset / SECTOR)))
      this.#late.push([buffer.slice(), offset]);
    else return super.write(buffer, offset);
    return buffer.length;
  }

  override flush(): void {
    super.flush();
    if (!saysClosed(this.inner.cached())) return;
    this.#closing = false;
    for (const [bytes, offset] of this.#late.splice(0)) super.write(bytes, offset);
    super.flush();
  }
}

/** The sectors in which bitmaps lie. */
function bitmapSectors(image: Uint8Array): Set<number> {
  const tracks = fieldOf(image, FIELD.tracks);
  const starts = readExtension(image)?.bitmaps.flatMap(({ sectors }) => sectors) ?? [];
  return new Set(starts.flatMap((start) => Array.from({ length: tracks }, (_, index) => start + index)));
}

/** What is noted of changes is seen by the bitmaps when they have been saved once. */
function lateMarks(): void {
  const { note, take } = Tracker.prototype;
  const waiting: [number, number][] = [];
  vi.spyOn(Tracker.prototype, "note").mockImplementation((offset, length) => {
    waiting.push([offset, length]);
  });
  vi.spyOn(Tracker.prototype, "take").mockImplementation(function (this: Tracker) {
    const taken = take.call(this);
    for (const [offset, length] of waiting.splice(0)) note.call(this, offset, length);
    return taken;
  });
}

const COMPACT_STEPS: readonly Step[] = [...GUEST_STEPS, "compact", "compact", "compact"];
const RESIZE_STEPS: readonly Step[] = [...GUEST_STEPS, ...Array<Step>(6).fill("resize")];
/** What is done to bitmaps. */
const CHANGES: readonly Step[] = ["clearBitmap", "clearBitmap", "addBitmap", "removeBitmap"];
const BITMAP_STEPS: readonly Step[] = ["write", "write", "write", "zeros", "flush", "reopen", "reopen", ...CHANGES];
/** What is said of an extension that is not what was written. */
const UNSOUND =
  /^the extension's (magic number|checksum)|passes the file's end|format extension|^there is a bitmap|^bitmap [^ ]* is gone/;
const SIZE = [FIELD.batEntries, FIELD.sectorCountLow];

export const wholeMutants: readonly Mutant[] = [
  {
    rule: "compact",
    name: "a moved cluster is free before the BAT without it is durable",
    losing: "power",
    make: () => wrapped(LateMoves, COMPACT_STEPS),
    complaint: /^sector \d+ reads as|lead(s)? to beyond the end of the file/,
  },
  {
    rule: "BAT",
    name: "the header shows a longer BAT before what is there reads as zeros",
    losing: "power",
    scale: "edge",
    make: () => wrapped(earlyHeader([FIELD.batEntries]), RESIZE_STEPS),
    complaint: /^sector \d+ reads as|lead(s)? to|entr/,
  },
  {
    rule: "grow",
    name: "the header shows a larger disk before what is there reads as zeros",
    losing: "power",
    over: true, // what was not made zeros in time is the base's
    make: () => wrapped(LateZeros, RESIZE_STEPS),
    complaint: /^sector \d+ reads as|lead(s)? to beyond the end of the file/,
  },
  {
    rule: "extension",
    name: "the header shows an extension before its cluster is durable",
    losing: "power",
    extended: true,
    make: () => wrapped(earlyHeader([FIELD.extensionLow]), BITMAP_STEPS),
    complaint: UNSOUND,
  },
  {
    rule: "old extension",
    name: "an extension's clusters are free before the header shows another one",
    losing: "power",
    extended: true,
    make: () => wrapped(lateHeader([FIELD.extensionLow]), BITMAP_STEPS),
    complaint: UNSOUND,
  },
  {
    rule: "bitmap",
    name: "a bitmap is said to be current before the bits of what was written are in it",
    losing: "power",
    extended: true,
    make: () => wrapped(LateBits, BITMAP_STEPS),
    complaint: /^bitmap [^ ]* misses that sector|^the image says that it was closed cleanly, but differs/,
  },
  {
    rule: "marks",
    name: "a bitmap is saved before what has been written is marked",
    losing: "power",
    extended: true,
    make: () => {
      lateMarks();
      return wrapped(Passing, BITMAP_STEPS);
    },
    complaint: /bitmap [^ ]* misses that sector/,
  },
  {
    rule: "shrink",
    name: "what is cut off is given back before the header says that the disk ends before it",
    losing: "power",
    make: () => wrapped(lateHeader(SIZE), RESIZE_STEPS),
    complaint: /^sector \d+ reads as|lead(s)? to beyond the end of the file/,
  },
];
