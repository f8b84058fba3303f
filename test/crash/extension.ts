/** What holds of a format extension after every crash: it is sound, and a bitmap that is believed misses no change. */
import { CLOSED_V21, SECTOR } from "../support/extension.js";
import { FIELD, fieldOf } from "../support/image.js";
import { isDirty, type ReadBitmap, readExtension } from "../support/read-extension.js";

/** The disk's bytes when its bitmaps began. */
export type Since = Uint8Array;

/** What is wrong with the extension of an image whose disk reads as `content`; undefined if nothing is. */
export function extensionFault(image: Uint8Array, content: Uint8Array, since: Since): string | undefined {
  try {
    const extension = readExtension(image);
    if (extension === undefined) return "the format extension is gone";
    if (fieldOf(image, FIELD.inUse) !== CLOSED_V21) return undefined; // its bitmaps are not believed
    const missed = extension.bitmaps.map((bitmap) => missedBy(bitmap, content, since));
    return missed.find((fault) => fault !== undefined);
  } catch (error) {
    return (error as Error).message;
  }
}

function missedBy(bitmap: ReadBitmap, content: Uint8Array, since: Since): string | undefined {
  for (let sector = 0; sector * SECTOR < content.length; sector++) {
    if (isDirty(bitmap, Math.floor(sector / bitmap.granularity))) continue;
    if (!sameSector(content, since, sector)) return `bitmap ${bitmap.id} misses that sector ${sector} has changed`;
  }
  return undefined;
}

function sameSector(a: Uint8Array, b: Uint8Array, sector: number): boolean {
  for (let index = sector * SECTOR; index < (sector + 1) * SECTOR; index++) if (a[index] !== b[index]) return false;
  return true;
}
