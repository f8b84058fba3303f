/** Messages count in words that fit the number: one helper (src/count.ts) does it, and nothing else does. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { counted, wordFor } from "../../src/count.js";
import { formatExactSize, formatSize } from "../../src/show/units.js";
import { ROOT } from "./installation.js";

const NOUNS = "bytes|clusters|sectors|entries|extents|leaks|corruptions|findings|requests|cylinders|heads|files|tries";

/** "${count} clusters" says "1 clusters"; a constant in capitals and a multiple are never 1. */
const UNCOUNTED = new RegExp(`\\$\\{(?!counted|[A-Z_]+\\}|\\d+ \\*)[^{}]*\\} (${NOUNS})\\b`, "g");

describe("messages", () => {
  it("count in words that fit the number", () => {
    expect([0, 1, 2].map((count) => counted(count, "cluster"))).toEqual(["0 clusters", "1 cluster", "2 clusters"]);
    expect([1, 3].map((count) => counted(count, "entry", "entries"))).toEqual(["1 entry", "3 entries"]);
    expect([1, 3].map((count) => wordFor(count, "is", "are"))).toEqual(["is", "are"]);
    expect([formatSize(1), formatExactSize(1), formatSize(0)]).toEqual(["1 byte", "1 byte", "0 bytes"]);
  });

  it("are counted by the helper everywhere in src/ and web/", () => {
    const names = ["src", "web"].flatMap((room) =>
      readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" }).map((name) => join(room, name)),
    );
    const uncounted = names
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => (readFileSync(join(ROOT, name), "utf8").match(UNCOUNTED) ?? []).map((text) => [name, text]));
    expect(uncounted).toEqual([]);
  });
});
