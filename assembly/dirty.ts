// Which 16 KiB blocks of the BAT differ from the file: one bit each.

import { DIRTY, dirtyBlockCount } from "./layout";
import { dropBits, nextSetBit, takeBits } from "./words";

/** Entries in a block, as a power of two. */
const BLOCK_SHIFT: u32 = 12;

/** The first dirty block at or after `block`, or -1. */
export function nextDirtyBlock(block: u32): i32 {
  const found = nextSetBit(DIRTY, block, dirtyBlockCount);
  return found < dirtyBlockCount ? <i32>found : -1;
}

export function setDirty(firstBlock: u32, blockCount: u32, dirty: bool): void {
  if (blockCount == 0) return;
  if (dirty) takeBits(DIRTY, firstBlock, firstBlock + blockCount);
  else dropBits(DIRTY, firstBlock, firstBlock + blockCount);
}

/** Marks the blocks of a guest range, which is not empty. */
export function touch(firstCluster: u32, clusterCount: u32): void {
  const last = firstCluster + clusterCount - 1;
  takeBits(DIRTY, firstCluster >> BLOCK_SHIFT, (last >> BLOCK_SHIFT) + 1);
}

export function clearDirty(): void {
  memory.fill(DIRTY, 0, <usize>((dirtyBlockCount + 63) >> 6) << 3);
}
