/** Words of 32 bits, for the plain TypeScript twins: which bits of one a range covers, the lowest that is set, how many are. */

/** Bits of the word of `from` that are not below it. */
export function headMask(from: number): number {
  return -1 << (from & 31);
}

/** Bits of the word of `to - 1` that are below `to`. */
export function tailMask(to: number): number {
  return -1 >>> (31 - ((to - 1) & 31));
}

/** The index of the lowest bit that is set; there is one. */
export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** How many bits are set. */
export function popcount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
