// How many clusters do not follow their left neighbours in the file: lanes of entries against lanes one to the left.

import { entryCount, step } from "./layout";
import { entryAddress, entryAt } from "./runs";
import { mayWrap } from "./table";

/** Entries that are not 0 and whose left neighbour is neither 0 nor exactly one step less. */
export function countFragments(): u32 {
  let at: u32 = 1;
  let count: u32 = 0;
  if (!mayWrap()) {
    let counts = i32x4.splat(0);
    const steps = i32x4.splat(step);
    for (; entryCount >= 8 && at <= entryCount - 8; at += 8) {
      const left = entryAddress(at - 1);
      counts = i32x4.add(counts, i32x4.add(fragments(left, steps), fragments(left + 16, steps)));
    }
    // A lane that holds a fragment counted -1.
    count -= i32x4.extract_lane(counts, 0) +
      i32x4.extract_lane(counts, 1) +
      i32x4.extract_lane(counts, 2) +
      i32x4.extract_lane(counts, 3);
  }
  for (; at < entryCount; at++) count += <u32>isFragment(entryAt(at - 1), entryAt(at));
  return count;
}

/** All ones in the lanes whose entry begins a fragment, of the four entries that follow the one at `left`. */
// @ts-ignore: decorator
@inline
function fragments(left: usize, steps: v128): v128 {
  const before = v128.load(left);
  const entries = v128.load(left, 4);
  const none = i32x4.splat(0);
  const both = v128.and(i32x4.ne(before, none), i32x4.ne(entries, none));
  return v128.and(both, i32x4.ne(entries, i32x4.add(before, steps)));
}

function isFragment(before: u32, entry: u32): bool {
  return before != 0 && entry != 0 && <u64>entry != <u64>before + step;
}
