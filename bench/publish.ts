/** What is made of the results for people to see: the charts, and the part of README.md that shows them and the main figures. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawCharts } from "./charts.js";
import { figure } from "./print.js";
import type { Question, Row } from "./question.js";
import { type Result, readResults } from "./results.js";

const BEGIN = "<!-- Made of bench/results/ by `npm run bench -- --charts`: not to be changed by hand. -->\n";
const END = "<!-- End of what is made of bench/results/. -->\n";
const CHARTS = "docs/charts";

/** The files that these results make, by their paths below the root of the repository. */
export function filesOf(root: string, questions: readonly Question[]): Map<string, string> {
  const results = readResults(join(root, "bench/results"), questions);
  const charts = drawCharts(results);
  const images = charts.map(({ name, alt }) => `<img src="${CHARTS}/${name}.svg" width="400" alt="${alt}">\n`);
  const readme = replacePart(
    readFileSync(join(root, "README.md"), "utf8"),
    `${images.join("")}\n${figuresOf(results, questions)}`,
  );
  const drawn = charts.map(({ name, svg }): [string, string] => [`${CHARTS}/${name}.svg`, svg]);
  return new Map([...drawn, ["README.md", readme]]);
}

export function publish(root: string, questions: readonly Question[]): void {
  mkdirSync(join(root, CHARTS), { recursive: true });
  for (const [path, content] of filesOf(root, questions)) writeFileSync(join(root, path), content);
}

function replacePart(text: string, part: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error("README.md: the comments around the benchmarks' part are missing");
  return `${text.slice(0, begin)}${BEGIN}${part}${text.slice(end)}`;
}

function figuresOf(results: readonly Result[], questions: readonly Question[]): string {
  const machines = [...new Set(results.map(({ machine }) => machine.replace(/, load .*/, "")))];
  const peers = Object.entries(Object.assign({}, ...results.map(({ peers }) => peers)));
  const rows = results.flatMap(({ question, rows }) => {
    const main = questions.find(({ name }) => name === question)?.main;
    return rows.filter(({ what }) => main?.includes(what));
  });
  return [
    `${[...machines, ...peers.map(([name, version]) => `${name} ${version}`)].join("; ")}:\n`,
    "| | against | ratio | quartiles | own | other |",
    "|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${cellsOf(row).join(" | ")} |`),
    "",
  ].join("\n");
}

function cellsOf({ what, against, ratio, spread, own, other, unit }: Row): string[] {
  const times = [own, other].map((time) => `${figure(time)} ${unit}`);
  return [what, against, `**${figure(ratio)}**`, spread.map(figure).join(" - "), ...times];
}
