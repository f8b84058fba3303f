/**
 * The phase of a v1 image: how far behind the beginning of its data area the first cluster lies, where the header does
 * not say (VirtualBox writes such images, its clusters a sector later than is derived). It is the residue that most of
 * the clusters share which lie wholly in the data area: those that the BAT leads to, and the format extension's. Where
 * none does, those of the BAT count that the file's end cuts. Of as many, the extension's goes first, as its clusters cannot be
 * moved, then the lowest. An image of ours has one phase in all that it holds, so neither the order of its entries nor a
 * lost one can turn against it.
 */
import { SECTOR_SIZE } from "../format/header.js";
import type { Image } from "./image.js";

/** The phase in sectors, less than a cluster. `extension` are the sectors where the extension's clusters begin. */
export function phaseOf(image: Image, dataSector: number, extension: readonly number[]): number {
  const fileSize = image.medium.size;
  const end = Math.ceil(fileSize / SECTOR_SIZE);
  const whole = Math.floor(fileSize / SECTOR_SIZE) - image.header.tracks;
  return favoured(image, dataSector, whole, extension) ?? favoured(image, dataSector, end - 1, []) ?? 0;
}

/** The residue of most clusters that begin between two sectors; undefined if there are none. */
function favoured(
  { header: { tracks }, engine }: Image,
  first: number,
  last: number,
  extension: readonly number[],
): number | undefined {
  const votes = new Uint32Array(tracks);
  const isThere = (sector: number): boolean => sector >= first && sector <= last;
  for (const sectors of [engine.bat, extension]) {
    // A plain loop: a table that claims much may have half a thousand million entries.
    for (let index = 0; index < sectors.length; index++) {
      const sector = sectors[index];
      if (isThere(sector)) votes[(sector - first) % tracks]++;
    }
  }
  let phase = ((extension.find(isThere) ?? first) - first) % tracks;
  for (let residue = 0; residue < tracks; residue++) if (votes[residue] > votes[phase]) phase = residue;
  return votes[phase] > 0 ? phase : undefined;
}
