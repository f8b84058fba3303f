/**
 * The phase of a v1 image: how far behind the beginning of its data area the first cluster lies, where the header does
 * not say (VirtualBox writes such images, its clusters a sector later than is derived). It is the residue that most of
 * the clusters share which lie wholly in the data area: those that the BAT leads to, and the format extension's. Of as
 * many, the extension's goes first, as its clusters cannot be moved, then the lowest. An image of ours has one phase in
 * all that it holds, so neither the order of its entries nor a lost one can turn against it.
 */
import { SECTOR_SIZE } from "../format/header.js";
import type { Image } from "./image.js";

/** The phase in sectors, less than a cluster. `extension` are the sectors where the extension's clusters begin. */
export function phaseOf({ header, engine, fileSize }: Image, dataSector: number, extension: readonly number[]): number {
  const { tracks } = header;
  const last = fileSize / SECTOR_SIZE - tracks;
  const votes = new Uint32Array(tracks);
  const vote = (sector: number): void => {
    if (sector >= dataSector && sector <= last) votes[(sector - dataSector) % tracks]!++;
  };
  engine.bat.forEach(vote);
  extension.forEach(vote);
  const first = extension.find((sector) => sector >= dataSector && sector <= last) ?? dataSector;
  let phase = (first - dataSector) % tracks;
  for (let residue = 0; residue < tracks; residue++) if (votes[residue]! > votes[phase]!) phase = residue;
  return phase;
}
