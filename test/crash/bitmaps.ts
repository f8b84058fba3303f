/**
 * The dirty bitmaps that a disk may have after a crash, and what each must tell: every sector that is other than it was
 * when the bitmap began. A crash makes them stale, and then they need not; but they are all there.
 */
import { CLOSED_V21, SECTOR } from "../support/extension.js";
import { FIELD, fieldOf } from "../support/image.js";
import { isDirty, type ReadBitmap, type ReadExtension, readExtension } from "../support/read-extension.js";

/** A range of bytes, as the disk tells it. */
export interface DirtyRange {
  offset: number;
  length: number;
}

export class Bitmaps {
  /** What the disk held when each began, by id: of those that may be there. */
  readonly #since = new Map<string, Uint8Array>();
  /** Those that the disk has, and those that are certain to be in the file. */
  #current = new Set<string>();
  #certain = new Set<string>();

  /** Those of an image that was closed, over what its disk reads as; after a crash what they began with is known. */
  constructor(image: Uint8Array, content: Uint8Array, before?: Bitmaps) {
    for (const { id } of readExtension(image)?.bitmaps ?? []) {
      this.#since.set(id, before?.sinceOf(id) ?? content);
      this.#current.add(id);
    }
    this.#certain = new Set(this.#current);
  }

  sinceOf(id: string): Uint8Array | undefined {
    return this.#since.get(id);
  }

  get ids(): string[] {
    return [...this.#current];
  }

  /** One begins, or begins anew: with this content nothing is dirty. */
  began(id: string, content: Uint8Array): void {
    this.#since.set(id, content);
    this.#current.add(id);
  }

  removed(id: string): void {
    this.#current.delete(id);
    this.#certain.delete(id);
  }

  /** What the disk has is in the file for good. */
  flushed(): void {
    this.#certain = new Set(this.#current);
    for (const id of this.#since.keys()) if (!this.#current.has(id)) this.#since.delete(id);
  }

  /** What is wrong with the extension of an image whose disk reads as `content`; undefined if nothing is. */
  fault(image: Uint8Array, content: Uint8Array): string | undefined {
    try {
      return this.#faultOf(readExtension(image), fieldOf(image, FIELD.inUse) === CLOSED_V21, content);
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** What the ranges that an open disk tells of a bitmap miss; undefined if nothing. */
  missedBy(id: string, ranges: readonly DirtyRange[], content: Uint8Array): string | undefined {
    const dirty = new Set<number>();
    for (const { offset, length } of ranges)
      for (let sector = Math.floor(offset / SECTOR); sector * SECTOR < offset + length; sector++) dirty.add(sector);
    return this.#missed(id, (sector) => dirty.has(sector), content);
  }

  #faultOf(extension: ReadExtension | undefined, believed: boolean, content: Uint8Array): string | undefined {
    const bitmaps = extension?.bitmaps ?? [];
    const strange = bitmaps.find(({ id }) => !this.#since.has(id));
    if (strange !== undefined) return `there is a bitmap ${strange.id} that the disk did not have`;
    const gone = [...this.#certain].find((id) => !bitmaps.some((bitmap) => bitmap.id === id));
    if (gone !== undefined) return `bitmap ${gone} is gone`;
    if (!believed) return undefined;
    return firstOf(bitmaps, (bitmap) => this.#missed(bitmap.id, (sector) => tells(bitmap, sector), content));
  }

  #missed(id: string, isDirtyAt: (sector: number) => boolean, content: Uint8Array): string | undefined {
    const since = this.#since.get(id) ?? content;
    for (let sector = 0; sector * SECTOR < content.length; sector++)
      if (!sameSector(content, since, sector) && !isDirtyAt(sector))
        return `bitmap ${id} misses that sector ${sector} has changed`;
    return undefined;
  }
}

const tells = (bitmap: ReadBitmap, sector: number): boolean => isDirty(bitmap, Math.floor(sector / bitmap.granularity));

function firstOf<T>(items: readonly T[], faultOf: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const fault = faultOf(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A sector that one of them lacks is not the same. */
function sameSector(a: Uint8Array, b: Uint8Array, sector: number): boolean {
  for (let index = sector * SECTOR; index < (sector + 1) * SECTOR; index++) if (a[index] !== b[index]) return false;
  return true;
}
