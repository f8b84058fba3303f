/** The guard against gross loss of speed: quick benchmarks keep at least half of the ratios that were measured once. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { guardedRows, lossesOf } from "../../bench/guard.js";
import type { Row } from "../../bench/question.js";
import type { Result } from "../../bench/results.js";
import { compare } from "../../src/measure/compare.js";
import { repeated, takeTurns } from "../../src/measure/turns.js";
import { ROOT } from "../package/installation.js";
import { allOfCi, describeWith } from "../support/peers.js";

/**
 * Those whose quick form takes some seconds, and whose ratios hold on a machine that does other things, too; of one that has
 * bounds of time, which are the machine's, what is measured.
 */
const GUARDED: [question: string, against?: string][] = [
  ["engine"],
  ["start", "node -e 0"],
  ["convert", "qemu-img"],
  ["check", "qemu-img"],
  ["disk"],
  ["flight"],
];
const TRIES = 3;

const row = (what: string, ratio: number): Row => ({
  ...{ what, against: "raw file", ratio, spread: [ratio, ratio], own: 1, other: ratio, unit: "µs" },
});

describe("The guard", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("sees work that takes three times as long as it did, on a machine that is slower by the minute, and no other", async () => {
    // A clock that work alone moves: more and more of it, as others take the machine.
    let [now, slowness] = [0, 1];
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const work = (milliseconds: number) =>
      repeated(() => {
        now += slowness * milliseconds;
        slowness *= 1.001;
      });
    const measured = async (milliseconds: number): Promise<Row[]> => {
      const [own, other] = await takeTurns([work(milliseconds), work(1)], { rounds: 9, milliseconds: 20 });
      return [{ ...row("loop", 1), ...compare(own, other) }];
    };
    const kept = [row("loop", 1)];
    const [same, slow] = [await measured(1), await measured(3)];
    expect(slowness).toBeGreaterThan(1.5);
    expect(lossesOf(kept, [slow, slow])).toMatchObject([{ row: "loop, against raw file", kept: 1 }]);
    expect(lossesOf(kept, [slow, same])).toEqual([]);
  });

  it("judges the best of the tries, row for row, by half of what was kept", () => {
    const kept = [row("a", 4), row("b", 1), row("only in full", 1)];
    const tries = [
      [row("a", 1.9), row("b", 0.4), row("only quick", 0.1)],
      [row("a", 1.99), row("b", 0.5)],
    ];
    expect(lossesOf(kept, tries)).toEqual([{ row: "a, against raw file", kept: 4, best: 1.99 }]);
    expect(guardedRows(kept, tries.flat()).map(({ what }) => what)).toEqual(["a", "b"]);
  });
});

describeWith([allOfCi], "Quick benchmarks", () => {
  const folder = mkdtempSync(join(tmpdir(), "parablock-guard-"));
  const program = join(ROOT, "artifacts/guard.mjs");

  /** As `npm run bench` is built, without building what other tests run meanwhile. */
  beforeAll(async () => {
    const options = { bundle: true, platform: "node", format: "esm", target: "node20", packages: "external" } as const;
    await build({ ...options, entryPoints: [join(ROOT, "bench/main.ts")], outfile: program, logLevel: "silent" });
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(program, { force: true });
  });

  it.each(GUARDED)("keep half of the ratios of %s that were measured once", (question, against) => {
    const kept = rowsOf(join(ROOT, "bench/results"), question).filter(
      (row) => row.against === (against ?? row.against),
    );
    const tries: Row[][] = [];
    do {
      const args = [program, "--quick", "--only", question, "--json", folder];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      expect([status, stderr]).toEqual([0, ""]);
      tries.push(rowsOf(folder, question));
    } while (tries.length < TRIES && lossesOf(kept, tries).length > 0);
    expect(guardedRows(kept, tries[0]).length).toBeGreaterThan(0);
    expect(lossesOf(kept, tries)).toEqual([]);
  });
});

function rowsOf(folder: string, question: string): Row[] {
  return (JSON.parse(readFileSync(join(folder, `${question}.json`), "utf8")) as Result).rows;
}
