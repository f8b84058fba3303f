/** The graph of snapshots: chains, trees, what can be deleted; thousands in a line. */
import { describe, expect, test } from "vitest";
import { type Snapshot, SnapshotGraph } from "../../src/bundle/graph.js";
import { DEFAULT_TOP, type Guid, NO_GUID, parseGuid, randomGuid, requireGuid } from "../../src/bundle/guid.js";
import { guid } from "./written.js";

const TOP = DEFAULT_TOP;
const line = (...guids: Guid[]): Snapshot[] =>
  guids.map((one, index) => (index === 0 ? { guid: one } : { guid: one, parent: guids[index - 1] }));

/** 1 - 2 - 3 - top, with 4 - 5 beside 3, and 6 alone on 1. */
const tree = new SnapshotGraph(
  [
    ...line(guid(1), guid(2), guid(3), TOP),
    { guid: guid(4), parent: guid(2) },
    { guid: guid(5), parent: guid(4) },
    { guid: guid(6), parent: guid(1) },
  ],
  TOP,
);

describe("The graph of snapshots", () => {
  test("knows chains, children and roots", () => {
    expect(tree.chainOf(TOP)).toEqual([guid(1), guid(2), guid(3), TOP]);
    expect(tree.chainOf(guid(5))).toEqual([guid(1), guid(2), guid(4), guid(5)]);
    expect(tree.childrenOf(guid(2))).toEqual([guid(3), guid(4)]);
    expect(tree.childrenOf()).toEqual([guid(1)]);
    expect(tree.parentOf(guid(1))).toBeUndefined();
  });

  test("is shown branch by branch, a line of any length in one", () => {
    expect(tree.tree().map(({ guid, depth, branch, top }) => [guid, depth, branch, top])).toEqual([
      [guid(1), 0, 0, false],
      [guid(2), 1, 1, false],
      [guid(3), 2, 2, false],
      [TOP, 3, 2, true],
      [guid(4), 2, 2, false],
      [guid(5), 3, 2, false],
      [guid(6), 1, 1, false],
    ]);
  });

  test("says what deleting means, and what cannot be deleted", () => {
    expect(tree.deletionOf(guid(3))).toEqual({ kind: "merge", child: TOP });
    expect(tree.deletionOf(guid(4))).toEqual({ kind: "merge", child: guid(5) });
    expect(tree.deletionOf(guid(6))).toEqual({ kind: "drop" });
    const refused = (one: Guid, why: RegExp) => expect(() => tree.deletionOf(one)).toThrow(why);
    refused(guid(2), /2 snapshots stand on: delete all but one of those first/);
    refused(guid(1), /2 snapshots stand on/);
    refused(TOP, /is the top, where the guest writes: switch to another one first/);
    refused(guid(99), /no snapshot \{00000063.*list the snapshots/);
    const single = new SnapshotGraph(line(guid(1), TOP), TOP);
    expect(single.deletionOf(guid(1))).toEqual({ kind: "merge", child: TOP });
  });

  test("bears tens of thousands in a line", () => {
    const guids = Array.from({ length: 30_000 }, (_, index) => guid(index + 1));
    const snapshots = line(...guids);
    const graph = new SnapshotGraph(snapshots.toReversed(), guids.at(-1)!);
    expect(graph.chainOf(graph.top)).toEqual(guids);
    expect(graph.tree().at(-1)).toEqual({ guid: graph.top, depth: 29_999, branch: 0, top: true });
    const circle = snapshots.with(0, { guid: guids[0], parent: guids.at(-1)! });
    expect(() => new SnapshotGraph(circle, graph.top)).toThrow(/form a circle/);
  });
});

describe("GUIDs", () => {
  test("are one in any case, with and without braces", () => {
    for (const text of [TOP, TOP.toUpperCase(), TOP.slice(1, -1), ` ${TOP}\n`]) expect(parseGuid(text)).toBe(TOP);
    for (const text of ["", "{}", `${TOP.slice(0, -1)}`, `{${TOP}}`, TOP.replace("5", "g"), TOP.replaceAll("-", "")])
      expect(parseGuid(text)).toBeUndefined();
    expect(() => requireGuid("top")).toThrow(RangeError);
    expect(() => requireGuid(7)).toThrow(TypeError);
    expect(requireGuid(NO_GUID.toUpperCase())).toBe(NO_GUID);
  });

  test("that are new are of version 4, and no two the same", () => {
    const some = new Set(Array.from({ length: 1000 }, randomGuid));
    expect(some.size).toBe(1000);
    for (const one of some)
      expect(one).toMatch(/^\{[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\}$/);
  });
});
