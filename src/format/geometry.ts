/** Disk geometry (cylinders, heads, sectors per track) as Parallels Desktop accepts it. */
import { quote } from "../printable.js";

export interface Geometry {
  cylinders: number;
  heads: number;
  /** Sectors per track of the guest's geometry: not the header's `tracks`, which is the cluster size. */
  sectors: number;
}

const HEADS = 16;
const TRACK_SIZES = [63, 32, 16, 8];
/** QEMU's choice, where no size that Parallels Desktop tries divides the disk. */
const FALLBACK_TRACK = 32;
const MAX_UINT32 = 2 ** 32 - 1;

/** The geometry of a disk of `sectorCount` sectors. @throws RangeError */
export function geometryOf(sectorCount: number): Geometry {
  if (!Number.isSafeInteger(sectorCount) || sectorCount < 0)
    throw new RangeError(`sectorCount: expected a number of sectors, got ${quote(sectorCount)}`);
  const sectors = sectorsPerTrack(sectorCount);
  const cylinders = Math.min(Math.floor(sectorCount / HEADS / sectors), MAX_UINT32);
  return { cylinders, heads: HEADS, sectors };
}

function sectorsPerTrack(sectorCount: number): number {
  if (sectorCount > 1_032_192 && sectorCount < 16_777_216) return 63;
  return TRACK_SIZES.find((size) => sectorCount % size === 0) ?? FALLBACK_TRACK;
}
