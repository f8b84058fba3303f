/** What `npm run bench --` understands. */
import { Command, InvalidArgumentError } from "commander";
import { nearestOf } from "../src/caller-options.js";
import type { Question } from "./question.js";

export interface Flags {
  quick: boolean;
  only?: readonly Question[];
  list?: true;
  browser?: true;
  trace?: string;
  json?: string;
  charts?: true;
}

/** @throws CommanderError after one line that says what is wrong, and which name is near */
export function parseFlags(args: readonly string[], questions: readonly Question[]): Flags {
  return new Command("npm run bench --")
    .description("Measures Parablock beside what it stands on and beside its peers, in interleaved rounds.")
    .option("--quick", "some seconds a question, and no results are kept", false)
    .option("--only <names>", "these questions, with commas between them", (text) => questionsNamed(text, questions))
    .option("--list", "tell the questions' names, and measure nothing")
    .option("--browser", "the same as --only opfs")
    .option("--trace <file>", "a recorded boot, for the network")
    .option("--json <folder>", "where results are kept, of quick runs, too (default: bench/results)")
    .option("--charts", "draw the charts and write README's figures from bench/results, and measure nothing")
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll("\n", " ")}\n`) })
    .allowExcessArguments(false)
    .exitOverride()
    .parse(args, { from: "user" })
    .opts<Flags>();
}

function questionsNamed(text: string, questions: readonly Question[]): Question[] {
  return text.split(",").map((given) => {
    const question = questions.find(({ name }) => name === given);
    if (question) return question;
    const names = questions.map(({ name }) => name);
    const nearest = nearestOf(given, names);
    const hint = nearest === undefined ? `It is one of ${names.join(", ")}.` : `Did you mean ${nearest}?`;
    throw new InvalidArgumentError(`There is no question "${given}". ${hint}`);
  });
}
