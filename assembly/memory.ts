// The size of a module's memory: nothing else grows it.

const PAGE_SHIFT: u64 = 16;
const MAX_PAGES: u64 = 65536;

/** Grows the memory until it holds the bytes below `end`; false if it cannot. */
export function reach(end: u64): bool {
  const pages = (end + 0xffff) >> PAGE_SHIFT;
  const present = <u64>(<u32>memory.size());
  if (pages <= present) return true;
  if (pages > MAX_PAGES) return false;
  return memory.grow(<i32>(pages - present)) != -1;
}

/** Rounds up to a cache line. */
// @ts-ignore: decorator
@inline
export function alignLine(address: u64): u64 {
  return (address + 63) & ~63;
}
