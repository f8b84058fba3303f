/** Whether allocation costs the same in small and large images that are nearly full, their last holes scattered. */
import { createEngine } from "../src/engine/create.js";
import type { Engine, EngineKind } from "../src/engine/engine.js";
import { compare } from "../src/measure/compare.js";
import { repeated, takeTurns } from "../src/measure/turns.js";
import type { Question, Row } from "./question.js";

const MEBI = 2 ** 20;
/** One of so many clusters is free. */
const HOLES = 100;
/** So many at a time, whatever the size. */
const BATCH = 8192;
const NO_GOAL = 0xffffffff;

export const allocate: Question = {
  name: "allocate",
  title: "Allocation: one cluster at a time in images that are 99 % full, their holes scattered",
  bound: "a look at each level of the bitmap's summaries; and memory, where tables are larger than the caches.",
  async run({ quick }) {
    const options = quick ? { rounds: 5, milliseconds: 5 } : { rounds: 15, milliseconds: 20 };
    const rows: Row[] = [];
    for (const [what, make] of WORKS) {
      for (const [kind, name] of KINDS) {
        const [base, ...larger] = await takeTurns(
          SIZES.map((size) => repeated(make(nearlyFull(kind, size * MEBI)))),
          options,
        );
        for (const [index, own] of larger.entries()) {
          const against = `the same, ${SIZES[0]} Mi clusters`;
          const row = { what: `${what}, ${SIZES[index + 1]} Mi clusters, ${name}`, against, unit: "ns" };
          rows.push({ ...row, ...compare(own, base, 1000 / BATCH), target: 0.8 });
        }
      }
    }
    return { rows };
  },
};

const SIZES = [1, 4, 16] as const;
const KINDS = [
  ["wasm", "WebAssembly"],
  ["js", "TypeScript"],
] as const;

const WORKS: readonly [what: string, make: (engine: Engine) => () => void][] = [
  ["a hole filled, and freed again", fillHoles],
  ["the last cluster freed, and taken again", moveEnd],
];

/** The lowest holes are linked one after the other, then unlinked and released. */
function fillHoles(engine: Engine): () => void {
  const hosts = new Uint32Array(BATCH);
  return () => {
    for (let cluster = 0; cluster < BATCH; cluster++) {
      hosts[cluster] = engine.allocate(1, NO_GOAL);
      engine.link(cluster, hosts[cluster], 1);
    }
    for (let cluster = 0; cluster < BATCH; cluster++) {
      engine.unlink(cluster, 1);
      engine.release(hosts[cluster], 1);
    }
  };
}

/** The end of what is used moves down and up again. */
function moveEnd(engine: Engine): () => void {
  return () => {
    for (let done = 0; done < BATCH; done++) {
      const last = engine.end - 1;
      engine.release(last, 1);
      engine.reserve(last, 1);
    }
  };
}

/** Guest clusters lie in order; one of a hundred, here and there, has no host cluster, and that one is free. */
function nearlyFull(kind: EngineKind, count: number): Engine {
  const engine = createEngine(kind, count, 1);
  for (let cluster = 0; cluster < count; cluster++)
    engine.bat[cluster] = Math.imul(cluster, 0x9e3779b1) >>> 0 < 2 ** 32 / HOLES ? 0 : cluster + 1;
  engine.scan({ origin: 1, lastEntry: count, hostLimit: count });
  return engine;
}
