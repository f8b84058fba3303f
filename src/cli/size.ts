/** Sizes as people write them. Units are powers of 1024. */
import { InvalidArgumentError } from "commander";

export { formatExactSize, formatShare, formatSize } from "../show/units.js";

const SECTOR_SIZE = 512;

/** A disk is a whole number of sectors: a size that is none is rounded up, as `qemu-img` does. */
export function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_SIZE) * SECTOR_SIZE;
}

const SUFFIXES = ["", "K", "M", "G", "T"];

/** "20G" -> 21474836480. Fractions are fine where they are whole bytes. @throws InvalidArgumentError (a usage error) */
export function parseSize(text: string): number {
  const [, whole = "", fraction = "", suffix = ""] = /^(\d+)(?:\.(\d+))?([KMGT]?)$/i.exec(text.trim()) ?? [];
  if (whole === "")
    throw new InvalidArgumentError("Give bytes, or a number with K, M, G or T (powers of 1024), such as 20G.");
  // In integers: a product of floating-point numbers might be whole by rounding only.
  const scaled = BigInt(whole + fraction) * 1024n ** BigInt(SUFFIXES.indexOf(suffix.toUpperCase()));
  const divisor = 10n ** BigInt(fraction.length);
  if (scaled % divisor !== 0n) throw new InvalidArgumentError("It is not a whole number of bytes.");
  const bytes = scaled / divisor;
  if (bytes > Number.MAX_SAFE_INTEGER)
    throw new InvalidArgumentError("It is more than 2^53 - 1 bytes: choose a smaller one.");
  return Number(bytes);
}
