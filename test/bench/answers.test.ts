/** What becomes of a question's answer: a table for people, and a file that is read again. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatAnswer } from "../../bench/print.js";
import { type Answer, once, type Question } from "../../bench/question.js";
import { readResults, writeResult } from "../../bench/results.js";
import { temporaryFolder } from "../support/folder.js";

const file = temporaryFolder();
const answer: Answer = {
  rows: [
    { what: "a", against: "b", ratio: 1.23456, spread: [1.1, 1.9], own: 100.04, other: 123.5, unit: "ms", target: 1 },
    { what: "size", against: "bound", ratio: 2, spread: once(2), own: 3_333_333, other: 6_666_666, unit: "B" },
  ],
  peers: { "qemu-img": "7.2" },
  skipped: ["farbfeld"],
};
const question: Question = { name: "q", title: "The question", bound: "the line.", run: async () => answer };

describe("An answer", () => {
  it("is a table with ratios first, what it holds for, and what is missing", () => {
    const lines = formatAnswer(question, answer).trim().split("\n");
    expect(lines.slice(0, 2)).toEqual(["The question", "npm run bench -- --only q; qemu-img 7.2"]);
    expect(lines[3].split("│").map((cell) => cell.trim())).toEqual([
      "",
      "ratio",
      "quartiles",
      "target",
      "what",
      "against",
      "own",
      "other",
      "",
    ]);
    expect(
      lines[5]
        .split("│")
        .map((cell) => cell.trim())
        .slice(1, 8),
    ).toEqual(["1.23", "1.10-1.90", "1", "a", "b", "100 ms", "124 ms"]);
    expect(lines.slice(-2)).toEqual(["What bounds it: the line.", "Skipped: farbfeld is missing."]);
  });

  it("is kept with times to four places and sizes to the byte, one row a line", () => {
    writeResult(file("results"), question, answer, "a machine");
    const [result, ...others] = readResults(file("results"), [question, { ...question, name: "not asked" }]);
    expect(others).toEqual([]);
    expect(result).toMatchObject({ question: "q", machine: "a machine", peers: answer.peers, skipped: ["farbfeld"] });
    expect(result.rows).toMatchObject([{ ratio: 1.235, own: 100, other: 123.5 }, { own: 3_333_333 }]);
    const lines = readFileSync(file("results/q.json"), "utf8").split("\n");
    expect(lines.filter((line) => line.includes('"what"'))).toHaveLength(2);
  });
});
