/** Sets of operations that run at the same time: pulled as they find a place, in both runners. */
import { describe, expect, test } from "vitest";
import { call, forEach, type Operation, together } from "../../src/operation.js";
import { runAsync, runSync } from "../../src/run.js";

const MANY = 100_000;

/** Items without end but that of the count; says how many were asked for. */
function* counting(count: number, pulled: { count: number }): Generator<number> {
  for (let item = 0; item < count; item++) {
    pulled.count++;
    yield item;
  }
}

const runners = [
  { face: "asynchronous", most: 32, run: async (operation: Operation<void>) => runAsync(operation) },
  { face: "synchronous", most: 1, run: async (operation: Operation<void>) => runSync(operation) },
];

describe.each(runners)("A set of operations in the $face runner", ({ face, most, run }) => {
  /** An operation that takes a while, where the face can wait. */
  const pause = () => (face === "asynchronous" ? Promise.resolve() : undefined);

  test(`is pulled as places become free, ${most} at most`, async () => {
    const pulled = { count: 0 };
    let [ended, widest] = [0, 0];
    const operation = function* (): Operation<void> {
      widest = Math.max(widest, pulled.count - ended);
      yield* call(pause);
      ended++;
    };
    await run(together(forEach(counting(MANY, pulled), operation)));
    expect({ pulled: pulled.count, ended, widest }).toEqual({ pulled: MANY, ended: MANY, widest: most });
  });

  test("throws the first error after the last has ended", async () => {
    let ended = 0;
    const operation = function* (item: number): Operation<void> {
      yield* call(pause);
      if (item === 40 || item === 70) throw new Error(`operation ${item}`);
      ended++;
    };
    await expect(run(together(forEach(counting(100, { count: 0 }), operation)))).rejects.toThrow("operation 40");
    expect(ended).toBe(98);
  });

  test("ends with an error of the iterator's own, once those that run have ended", async () => {
    let ended = 0;
    const failing = function* (): Generator<number> {
      yield* counting(50, { count: 0 });
      throw new Error("no more");
    };
    const operation = function* (): Operation<void> {
      yield* call(pause);
      ended++;
    };
    await expect(run(together(forEach(failing(), operation)))).rejects.toThrow("no more");
    expect(ended).toBe(50);
  });

  test("of an iterator that goes on after its error is not asked again", async () => {
    let asked = 0;
    const next = (): IteratorResult<Operation<void>> => {
      asked++;
      throw new Error("no more");
    };
    await expect(run(together({ [Symbol.iterator]: () => ({ next }) }))).rejects.toThrow("no more");
    expect(asked).toBe(1);
  });

  test("may be empty, or of one", async () => {
    let ran = 0;
    const operation = function* (): Operation<void> {
      yield* call(() => void ran++);
    };
    for (const set of [[], [operation()], forEach([], operation), forEach([1], operation)]) await run(together(set));
    expect(ran).toBe(2);
  });
});

describe("A set of operations", () => {
  test("is pulled no further once its disk is abandoned", async () => {
    const pulled = { count: 0 };
    const ground = { abandoned: false };
    const operation = function* (item: number): Operation<void> {
      if (item === 100) ground.abandoned = true;
      yield* call(() => Promise.resolve());
    };
    const running = runAsync(together(forEach(counting(MANY, pulled), operation)), ground);
    await expect(running).rejects.toMatchObject({ code: "CLOSED" });
    expect(pulled.count).toBeLessThan(200);
  });

  test("that asks for nothing lets others have their turns", async () => {
    let fired = false;
    setTimeout(() => {
      fired = true;
    });
    const items = function* (): Generator<number> {
      for (let item = 0; item < 3_000_000 && !fired; item++) yield item;
    };
    await runAsync(together(forEach(items(), function* () {})));
    expect(fired, "no timer fired").toBe(true);
  });
});
