/** `npm run bench`: asks the questions of bench/questions.ts, prints their answers and keeps them in bench/results/. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { nearestOf } from "../src/caller-options.js";
import { machineLine } from "../src/measure/tables.js";
import { formatAnswer } from "./print.js";
import { publish } from "./publish.js";
import type { Answer, Question } from "./question.js";
import { QUESTIONS } from "./questions.js";
import { writeResult } from "./results.js";

interface Flags {
  quick: boolean;
  only?: readonly Question[];
  list?: true;
  browser?: true;
  trace?: string;
  json?: string;
  charts?: true;
}

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const RESULTS = join(ROOT, "bench/results");

const flags = new Command("npm run bench --")
  .description("Measures Parablock beside what it stands on and beside its peers, in interleaved rounds.")
  .option("--quick", "some seconds a question, and no results are kept", false)
  .option("--only <names>", "these questions, with commas between them", parseNames)
  .option("--list", "tell the questions' names, and measure nothing")
  .option("--browser", "the same as --only opfs")
  .option("--trace <file>", "a recorded boot, for the network")
  .option("--json <folder>", "where results are kept, of quick runs, too (default: bench/results)")
  .option("--charts", "draw the charts and write README's figures from bench/results, and measure nothing")
  .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll("\n", " ")}\n`) })
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

if (flags.list) {
  for (const { name, title } of QUESTIONS) console.log(`${name.padEnd(12)} ${title}`);
} else if (flags.charts) {
  publish(ROOT, QUESTIONS);
} else {
  const asked = flags.only ?? QUESTIONS.filter(({ name }) => !flags.browser || name === "opfs");
  await askAll(asked, flags);
}

function parseNames(text: string): Question[] {
  return text.split(",").map((given) => {
    const question = QUESTIONS.find(({ name }) => name === given);
    if (question) return question;
    const names = QUESTIONS.map(({ name }) => name);
    const nearest = nearestOf(given, names);
    const hint = nearest === undefined ? `It is one of ${names.join(", ")}.` : `Did you mean ${nearest}?`;
    throw new InvalidArgumentError(`There is no question "${given}". ${hint}`);
  });
}

async function askAll(questions: readonly Question[], { quick, trace, json }: Flags): Promise<void> {
  const machine = machineLine();
  const results = json ?? (quick || trace ? undefined : RESULTS);
  console.log(machine);
  for (const question of questions) {
    const answer = await ask(question, quick, trace);
    console.log(formatAnswer(question, answer));
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
