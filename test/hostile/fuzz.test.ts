/** The fuzzer (`npm run fuzz`) for a moment, and that it finds what is wrong: an engine that breaks a rule is caught. */
import { describe, expect, it } from "vitest";
import { makeCorpus } from "../../fuzz/corpus.js";
import { type Execution, execute } from "../../fuzz/execute.js";
import { JsEngine } from "../../src/engine/js.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { runs } from "../support/runs.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(4000, 150);
const corpus = makeCorpus();

async function executions(count: number, seed = firstSeed): Promise<Execution[]> {
  const all: Execution[] = [];
  for (let index = 0; index < count; index++) all.push(await execute(seed + index, corpus));
  return all;
}

/** The messages of what is found while a method does something else. */
async function foundWith<T extends object, K extends keyof T>(owner: T, name: K, make: (real: T[K]) => T[K]) {
  const real = owner[name];
  owner[name] = make(real);
  try {
    return (await executions(100, 1)).flatMap(({ find }) => find?.message ?? []);
  } finally {
    owner[name] = real;
  }
}

describe("The fuzzer", () => {
  it("finds nothing", { timeout: Math.max(120_000, 60 * wanted) }, async () => {
    const all = await executions(wanted);
    expect(all.flatMap(({ find }) => (find === undefined ? [] : [`seed ${find.seed}: ${find.message}`]))).toEqual([]);
    // Little would be tested if most of what is made were refused.
    expect(all.filter(({ outcome }) => /written|repaired/.test(outcome)).length).toBeGreaterThan(wanted / 2);
  });

  it("does the same for the same seed", async () => {
    const shown = (all: Execution[]) => all.map(({ outcome }) => outcome);
    expect(shown(await executions(40, 7))).toEqual(shown(await executions(40, 7)));
  });

  it("finds an engine that links the wrong cluster", async () => {
    const found = await foundWith(
      JsEngine.prototype,
      "link",
      (real) =>
        function (this: JsEngine, first, host, count) {
          real.call(this, first, host === 1 ? 0 : host, count);
        },
    );
    expect(found.length).toBeGreaterThan(0);
  });

  it("finds an engine that frees a cluster in use", async () => {
    const found = await foundWith(
      JsEngine.prototype,
      "release",
      (real) =>
        function (this: JsEngine, host, count) {
          real.call(this, Math.max(0, host - 1), count);
        },
    );
    expect(found.length).toBeGreaterThan(0);
  });

  it("finds writes that are lost", async () => {
    const lost = await foundWith(
      MemoryStorage.prototype,
      "write",
      (real) =>
        function (this: MemoryStorage, buffer, offset) {
          return offset > 2048 ? buffer.length : real.call(this, buffer, offset);
        },
    );
    expect(lost.length).toBeGreaterThan(0);
  });
});
