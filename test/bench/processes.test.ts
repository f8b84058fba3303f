/** Whole processes in turn: the order that they run in, what is timed, and what of one that fails is said. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { less, takeProcessTurns } from "../../bench/processes.js";
import { temporaryFolder } from "../support/folder.js";

const file = temporaryFolder();

describe("Processes that are measured", () => {
  it("run once a round, in turning order, after a round that does not count", () => {
    const log = file("log");
    const saying = (name: string) => ({
      command: ["sh", "-c", `printf ${name} >> ${log}`],
      before: () => appendFileSync(log, "("),
      after: () => appendFileSync(log, ")"),
    });
    const times = takeProcessTurns([saying("a"), saying("b")], 2);
    expect(readFileSync(log, "utf8")).toBe("(a)(b)(b)(a)(a)(b)");
    expect(times.map((rounds) => rounds.length)).toEqual([2, 2]);
    for (const time of times.flat()) expect(time).toBeGreaterThan(0);
  });

  it("have their output in a file that is new each time, and what is to be durable is there", () => {
    const output = file("output");
    writeFileSync(output, "from before");
    takeProcessTurns([{ command: ["echo", "hello"], output, durable: output }], 1);
    expect(readFileSync(output, "utf8")).toBe("hello\n");
    expect(() => takeProcessTurns([{ command: ["true"], durable: file("missing") }], 1)).toThrow("ENOENT");
  });

  it("may end as is expected of them only, with their own words told", () => {
    const command = ["sh", "-c", "echo no such thing >&2; exit 3"];
    expect(() => takeProcessTurns([{ command }], 1)).toThrow(/ended with 3: no such thing$/);
    expect(takeProcessTurns([{ command, statuses: [0, 3] }], 1)[0]).toHaveLength(1);
    expect(() => takeProcessTurns([{ command: [file("no-program")] }], 1)).toThrow("ENOENT");
  });

  it("are told less what another takes, round for round", () => {
    expect(less([5, 9], [2, 4])).toEqual([3, 5]);
  });
});
