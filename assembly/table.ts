// The entries of the BAT as a table that changes: linking and unlinking guest clusters, and how many are linked.

import { step } from "./layout";
import { entryAddress } from "./runs";

let origin: u32 = 0;
let allocated: u32 = 0;
let wrap: bool = false;

export function allocatedCount(): u32 {
  return allocated;
}

/** Whether an entry may lie within one step of 2^32, where sums modulo 2^32 mistake what follows it. */
export function mayWrap(): bool {
  return wrap;
}

/** What a scan found out. */
export function setTable(firstEntry: u32, allocatedEntries: u32, nearWrap: bool): void {
  origin = firstEntry;
  allocated = allocatedEntries;
  wrap = nearWrap;
}

/** Points guest clusters at neighbouring host clusters. */
export function link(firstCluster: u32, hostCluster: u32, clusterCount: u32): void {
  if (clusterCount == 0) return;
  let entry = <u64>origin + <u64>hostCluster * step;
  const limit = entryAddress(firstCluster + clusterCount);
  for (let address = entryAddress(firstCluster); address < limit; address += 4) {
    allocated += <u32>(load<u32>(address) == 0);
    store<u32>(address, <u32>entry);
    entry += step;
  }
  // By now this is the entry that would follow.
  if (entry > <u64>u32.MAX_VALUE) wrap = true;
}

/** Makes guest clusters unallocated. */
export function unlink(firstCluster: u32, clusterCount: u32): void {
  if (clusterCount == 0) return;
  const limit = entryAddress(firstCluster + clusterCount);
  for (let address = entryAddress(firstCluster); address < limit; address += 4) {
    allocated -= <u32>(load<u32>(address) != 0);
    store<u32>(address, 0);
  }
}
