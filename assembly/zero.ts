// Whether bytes are all zero: 64 a turn, stopping at the first turn that has one. The buffer lies where an
// image would have its BAT; an instance serves one or the other.

import { BAT } from "./layout";
import { reach } from "./memory";

/** Makes room for a buffer and returns its address, or 0 if there is not enough memory. */
export function placeBuffer(size: u32): usize {
  return reach(<u64>BAT + size) ? BAT : 0;
}

export function isZero(offset: u32, length: u32): bool {
  let at: usize = BAT + offset;
  const limit = at + length;
  for (; limit - at >= 64; at += 64) {
    const low = v128.or(v128.load(at), v128.load(at, 16));
    const high = v128.or(v128.load(at, 32), v128.load(at, 48));
    if (v128.any_true(v128.or(low, high))) return false;
  }
  for (; limit - at >= 8; at += 8) if (load<u64>(at)) return false;
  for (; at < limit; at++) if (load<u8>(at)) return false;
  return true;
}
