/**
 * The parts of a split disk as one device that keeps the order of writes across them: whenever the process dies, the disk
 * reads as a prefix of what was written. Each part keeps its own order, in a line of what its file does not show yet
 * (image/publish.ts). So a change of one part has the lines of the others published before, and before it is complete
 * once more, for what completed meanwhile; one that spans parts has the lines of all.
 */

import type { AnyDevice } from "../device/block-device.js";
import { joinedVerbs } from "../device/joined.js";
import type { Verbs } from "../device/verbs.js";
import { publish } from "../image/publish.js";
import type { Operation } from "../operation.js";
import type { Segment } from "./segment.js";

export function orderedVerbs(segments: readonly Segment[], devices: readonly AnyDevice[]): Verbs {
  const joined = joinedVerbs(
    devices,
    segments.map(({ size }) => size),
  );
  const { write, writeZeroes, discard } = joined;
  const changing = (offset: number, length: number, change: Operation<void> | undefined) =>
    inOrder(linesBeside(segments, offset, length), change);
  return Object.assign(joined, {
    write: (buffer: Uint8Array, offset: number) => changing(offset, buffer.length, write?.call(joined, buffer, offset)),
    writeZeroes: (offset: number, length: number) =>
      changing(offset, length, writeZeroes?.call(joined, offset, length)),
    discard: (offset: number, length: number) => changing(offset, length, discard?.call(joined, offset, length)),
  });
}

/** The parts that must show all they have before a range may change: all, or all but the one that it lies in. */
function linesBeside(segments: readonly Segment[], offset: number, length: number): readonly Segment[] {
  let start = 0;
  for (const segment of segments) {
    const end = start + segment.size;
    if (offset >= start && offset + length <= end) return segments.filter((other) => other !== segment);
    start = end;
  }
  return segments;
}

function* inOrder(segments: readonly Segment[], change: Operation<void> | undefined): Operation<void> {
  yield* publishAll(segments);
  if (change !== undefined) yield* change;
  yield* publishAll(segments);
}

function* publishAll(segments: readonly Segment[]): Operation<void> {
  for (const { top } of segments) if ("image" in top) yield* publish(top.image);
}
