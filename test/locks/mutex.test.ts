/** Mutexes: one holder at a time, in the order of arrival. */
import { describe, expect, test } from "vitest";
import { exclusively, Mutex } from "../../src/mutex.js";
import { call, type Operation } from "../../src/operation.js";
import { runAsync, runSync } from "../../src/run.js";

/** Works in steps that others could come between; writes down when. */
function* steps(log: string[], name: string): Operation<void> {
  for (const step of ["begins", "goes on", "ends"]) {
    log.push(`${name} ${step}`);
    yield* call(() => Promise.resolve());
  }
}

describe("A mutex", () => {
  test("lets one in at a time, in the order of arrival", async () => {
    const mutex = new Mutex("flush");
    const log: string[] = [];
    const names = Array.from({ length: 50 }, (_, index) => `${index}`);
    await Promise.all(names.map((name) => runAsync(exclusively(mutex, () => steps(log, name)))));
    expect(log).toEqual(names.flatMap((name) => [`${name} begins`, `${name} goes on`, `${name} ends`]));
    expect(mutex.tryAcquire()).toBe(true);
  });

  test("goes to the next when its holder fails", async () => {
    const mutex = new Mutex("flush");
    const log: string[] = [];
    const failing = runAsync(
      exclusively(mutex, function* () {
        yield* steps(log, "first");
        throw new Error("it failed");
      }),
    );
    const next = runAsync(exclusively(mutex, () => steps(log, "second")));
    await expect(failing).rejects.toThrow("it failed");
    await next;
    expect(log.slice(3)).toEqual(["second begins", "second goes on", "second ends"]);
  });

  test("that is given up refuses those in line; its holder keeps it, and it can be taken again afterwards", async () => {
    const mutex = new Mutex("flush");
    const log: string[] = [];
    const holder = runAsync(exclusively(mutex, () => steps(log, "holder")));
    const inLine = [1, 2, 3].map((name) => runAsync(exclusively(mutex, () => steps(log, `${name}`))));
    mutex.giveUp(new Error("over"));
    for (const waiter of inLine) await expect(waiter).rejects.toThrow("over");
    await holder;
    await runAsync(exclusively(mutex, () => steps(log, "later")));
    expect(log.map((line) => line.split(" ")[0])).toEqual([...Array(3).fill("holder"), ...Array(3).fill("later")]);
  });

  test("is nothing to the synchronous face", () => {
    const log: string[] = [];
    const work = function* (): Operation<void> {
      yield* call(() => log.push("runs"));
    };
    runSync(exclusively(undefined, work));
    expect(log).toEqual(["runs"]);
  });
});
