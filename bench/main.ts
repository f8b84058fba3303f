/** `npm run bench`: asks the questions of bench/questions.ts, prints their answers and keeps them in bench/results/. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { machineLine } from "../src/measure/tables.js";
import { type Flags, parseFlags } from "./command-line.js";
import { formatAnswer } from "./print.js";
import { publish } from "./publish.js";
import type { Answer, Question } from "./question.js";
import { QUESTIONS } from "./questions.js";
import { writeResult } from "./results.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const RESULTS = join(ROOT, "bench/results");

try {
  await run(parseFlags(process.argv.slice(2), QUESTIONS));
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode; // what is wrong was said
}

async function run(flags: Flags): Promise<void> {
  if (flags.charts) return publish(ROOT, QUESTIONS);
  if (!flags.list)
    return await askAll(flags.only ?? QUESTIONS.filter(({ name }) => !flags.browser || name === "opfs"), flags);
  for (const { name, title } of QUESTIONS) console.log(`${name.padEnd(12)} ${title}`);
}

async function askAll(questions: readonly Question[], { quick, trace, json }: Flags): Promise<void> {
  const machine = machineLine();
  const results = json ?? (quick || trace ? undefined : RESULTS);
  console.log(machine);
  for (const question of questions) {
    const start = performance.now();
    const answer = await ask(question, quick, trace);
    console.log(formatAnswer(question, answer));
    console.log(`Asked for ${((performance.now() - start) / 1000).toFixed(0)} s.`);
    if (results !== undefined && answer.rows.length > 0) writeResult(results, question, answer, machine);
  }
  if (results === RESULTS) publish(ROOT, QUESTIONS);
}

async function ask({ name, run }: Question, quick: boolean, trace: string | undefined): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), "parablock-bench-"));
  try {
    if (process.stderr.isTTY) process.stderr.write(`${name} ...\r`);
    return await run({ quick, folder, trace });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
