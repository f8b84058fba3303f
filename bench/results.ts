/** What was measured, as files: one JSON a question, rows one a line, figures to four places. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer, Question, Row } from "./question.js";

export interface Result {
  question: string;
  title: string;
  machine: string;
  date: string;
  peers: Record<string, string>;
  skipped: string[];
  rows: Row[];
}

/** Of one run, in a folder that is made where it is not there. */
export function writeResult(folder: string, { name, title }: Question, answer: Answer, machine: string): void {
  const { rows, peers = {}, skipped = [] } = answer;
  const date = new Date().toISOString().slice(0, 10);
  const head = JSON.stringify({ question: name, title, machine, date, peers, skipped }, null, 2);
  const lines = rows.map((row) => `    ${JSON.stringify(row, rounded)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${head.slice(0, -2)},\n  "rows": [\n${lines.join(",\n")}\n  ]\n}\n`);
}

/** The results of these questions, as far as they are there, in their order. */
export function readResults(folder: string, questions: readonly Question[]): Result[] {
  return questions
    .map(({ name }) => join(folder, `${name}.json`))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, "utf8")));
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
