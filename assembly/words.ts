// Ranges of bits in an array of 64-bit words, and the words themselves: the arithmetic under the used bitmap and the dirty
// bits. A range [from, to) is never empty and lies inside its array.

export const ALL: u64 = 0xffffffffffffffff;

// @ts-ignore: decorator
@inline
export function wordAt(words: usize, index: u32): u64 {
  return load<u64>(words + (<usize>index << 3));
}

/** Bits of the word of `from` that are not below it. */
// @ts-ignore: decorator
@inline
export function headMask(from: u32): u64 {
  return ALL << (from & 63);
}

/** Bits of the word of `to - 1` that are below `to`. */
// @ts-ignore: decorator
@inline
export function tailMask(to: u32): u64 {
  return ALL >> (63 - ((to - 1) & 63));
}

/** Makes a range `value`, which is 0 or ALL, and returns how many of its bits were so before. Most ranges lie in one word. */
// @ts-ignore: decorator
@inline
export function setBits(words: usize, from: u32, to: u32, value: u64): u32 {
  const first = words + (<usize>(from >> 6) << 3);
  const last = words + (<usize>((to - 1) >> 6) << 3);
  return first == last
    ? put(first, headMask(from) & tailMask(to), value)
    : setWords(first, last, from, to, value);
}

function setWords(first: usize, last: usize, from: u32, to: u32, value: u64): u32 {
  let count = put(first, headMask(from), value);
  for (let word = first + 8; word < last; word += 8) count += put(word, ALL, value);
  return count + put(last, tailMask(to), value);
}

/** Makes the bits of a mask those of a value and returns how many of them were so before. */
// @ts-ignore: decorator
@inline
function put(word: usize, mask: u64, value: u64): u32 {
  const others = load<u64>(word) ^ value;
  store<u64>(word, (others & ~mask) ^ value);
  return <u32>popcnt<u64>(~others & mask);
}

/** Sets the bits of a mask and returns how many of them were set before. */
// @ts-ignore: decorator
@inline
export function take(word: usize, mask: u64): u32 {
  const bits = load<u64>(word);
  store<u64>(word, bits | mask);
  return <u32>popcnt<u64>(bits & mask);
}

/** Clears the bits of a mask and returns how many of them were set before. */
// @ts-ignore: decorator
@inline
export function drop(word: usize, mask: u64): u32 {
  const bits = load<u64>(word);
  store<u64>(word, bits & ~mask);
  return <u32>popcnt<u64>(bits & mask);
}

/** Of the words that the bits from `from` on touch, the first that equals `value`, or the one after. */
export function firstWhole(words: usize, from: u32, value: u64): u32 {
  const word = from >> 6;
  return wordAt(words, word) == value ? word : word + 1;
}

/** One past the last such word for bits that end before `to`. */
export function endWhole(words: usize, to: u32, value: u64): u32 {
  const word = (to - 1) >> 6;
  return wordAt(words, word) == value ? word + 1 : word;
}

/** Sets words to zero. Those that are may be memory that nobody touched yet: they stay so. */
export function clearWords(words: usize, length: usize): void {
  const limit = words + (length << 3);
  for (let word = words; word < limit; word += 8) if (load<u64>(word)) store<u64>(word, 0);
}

/** Copies words to a higher address, which may be among them. What is zero on both sides stays untouched. */
export function moveWordsUp(from: usize, to: usize, length: usize): void {
  for (let offset = length << 3; offset > 0; ) {
    offset -= 8;
    const word = load<u64>(from + offset);
    if (word != load<u64>(to + offset)) store<u64>(to + offset, word);
  }
}
