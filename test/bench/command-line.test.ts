/** What `npm run bench --` understands, and what it says of what it does not. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseFlags } from "../../bench/command-line.js";
import type { Question } from "../../bench/question.js";

const question = (name: string): Question => ({ name, title: "", bound: "", run: async () => ({ rows: [] }) });
const QUESTIONS = [question("engine"), question("network")];
const parse = (...args: string[]) => parseFlags(args, QUESTIONS);

describe("The command line of the benchmarks", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("takes names of questions, with commas between them", () => {
    expect(parse("--quick", "--only", "network,engine")).toMatchObject({ quick: true, only: QUESTIONS.toReversed() });
    expect(parse()).toEqual({ quick: false });
  });

  it.each([
    [["--only", "engin"], /There is no question "engin"\. Did you mean engine\?\n$/],
    [["--only", "engine,zzzzzzzz"], /There is no question "zzzzzzzz"\. It is one of engine, network\.\n$/],
    [["--quik"], /unknown option '--quik' \(Did you mean --quick\?\)\n$/],
    [["--only"], /argument missing\n$/],
    [["engine"], /too many arguments/],
  ])("refuses %j in one line", (args, message) => {
    const said: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(`${text}`) > 0);
    expect(() => parse(...args)).toThrow();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(message);
    expect(said[0].trim()).not.toContain("\n");
  });
});
