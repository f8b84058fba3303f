/** Numbers and bytes that are random and can be had again: everything follows from a seed. */

/** Answers numbers in 0..1 (1 excluded). */
export type Random = () => number;

/** Mulberry32: small, quick, good enough to choose with. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer in 0..limit (limit excluded; 0 if it is 0). */
export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** Bytes that no other tag has, and that differ wherever they are shifted. */
export function patternBytes(tag: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = Math.imul(tag + 1, 0x9e3779b1) | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}
