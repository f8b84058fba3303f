import fc from "fast-check";
import { expect, it } from "vitest";
import { createEngine } from "../../src/engine/create.js";
import type { Engine, Grid } from "../../src/engine/engine.js";
import { runs } from "../support/runs.js";
import { grids, mapAll, steps, tables, usedRanges } from "./naive.js";

/** An end that is on no boundary. */
const FIRST_COUNT = 4096 * 3 + 77;

interface Verb {
  name: "load" | "write" | "allocate" | "reserve" | "release" | "link" | "unlink" | "grow";
  at: number;
  host: number;
  count: number;
  bat: number[];
}

function verbs(step: number, grid: Grid): fc.Arbitrary<Verb> {
  const host = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 50_000 }));
  return fc.record({
    name: fc.constantFrom("load", "write", "write", "allocate", "reserve", "release", "link", "unlink", "grow"),
    at: fc.integer({ min: 0, max: FIRST_COUNT - 1 }),
    host: host.map((index) => Math.min(index, grid.hostLimit - 1)),
    count: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 6000 })),
    bat: tables(step, grid.origin),
  });
}

/** Does the verb and returns all that it answers. */
function run(engine: Engine, verb: Verb, grid: Grid): unknown {
  const count = Math.min(verb.count, engine.entryCount - verb.at);
  const hosts = Math.min(verb.count, grid.hostLimit - verb.host);
  switch (verb.name) {
    case "load":
      engine.bat.set(verb.bat, Math.min(verb.at, engine.entryCount - verb.bat.length));
      return engine.scan(grid);
    case "write": {
      const first = engine.allocate(count || 1, verb.host);
      const length = Math.min(engine.allocatedRun, engine.entryCount - verb.at);
      engine.link(verb.at, first, length);
      return [first, length];
    }
    case "allocate":
      return [engine.allocate(verb.count || 1, verb.host), engine.allocatedRun];
    case "reserve":
      return engine.reserve(verb.host, hosts);
    case "release":
      return engine.release(verb.host, hosts);
    case "link":
      return engine.link(verb.at, verb.host, Math.min(count, hosts));
    case "unlink":
      return engine.unlink(verb.at, count);
    case "grow":
      // By a few entries, a page of WebAssembly memory, and more than the bitmap behind them is long.
      return engine.grow(engine.entryCount + (verb.host % 3 ? verb.count : verb.host));
  }
}

function tablesOf(engine: Engine, verb: Verb): unknown {
  const { allocatedCount, usedCount, end, origin, entryCount } = engine;
  return {
    numbers: { allocatedCount, usedCount, end, origin, entryCount, fragments: engine.countFragments() },
    views: [engine.bat.length, engine.batBytes.length],
    next: [engine.nextFree(verb.host), engine.nextUsed(verb.host)],
    used: usedRanges(engine),
    range: mapAll(engine, verb.at, Math.min(verb.count, entryCount - verb.at)),
    whole: mapAll(engine, 0, entryCount),
  };
}

it("keeps the same tables in both engines through any sequence of verbs", () => {
  const histories = steps.chain((step) =>
    grids(step).chain((grid) =>
      fc.record({
        step: fc.constant(step),
        grid: fc.constant(grid),
        history: fc.array(verbs(step, grid), { minLength: 1, maxLength: 30 }),
      }),
    ),
  );
  fc.assert(
    fc.property(histories, ({ step, grid, history }) => {
      const wasm = createEngine("wasm", FIRST_COUNT, step);
      const js = createEngine("js", FIRST_COUNT, step);
      expect(js.scan(grid)).toEqual(wasm.scan(grid));
      for (const verb of history) {
        expect(run(wasm, verb, grid)).toEqual(run(js, verb, grid));
        expect(tablesOf(wasm, verb)).toEqual(tablesOf(js, verb));
        expect(Buffer.compare(wasm.batBytes, js.batBytes)).toBe(0);
      }
      expect(wasm.allocatedCount).toBe(wasm.bat.reduce((sum, entry) => sum + (entry === 0 ? 0 : 1), 0));
    }),
    runs(150),
  );
}, 60_000);
