/** A question's answer as text: a table with ratios first, and what it holds for. */
import { formatTable } from "../src/cli/table.js";
import type { Answer, Question, Row } from "./question.js";

export function formatAnswer({ name, title, bound }: Question, { rows, peers = {}, skipped = [] }: Answer): string {
  const versions = Object.entries(peers).map(([peer, version]) => `${peer} ${version}`);
  return [
    `\n${title}`,
    `npm run bench -- --only ${name}${versions.length > 0 ? `; ${versions.join(", ")}` : ""}`,
    ...(rows.length > 0 ? [formatTable(tableOf(rows))] : []),
    `What bounds it: ${bound}`,
    ...skipped.map((peer) => `Skipped: ${peer} is missing.`),
  ].join("\n");
}

function tableOf(rows: readonly Row[]): { head: string[]; rows: string[][] } {
  const cells = rows.map((row) => [
    figure(row.ratio),
    row.spread.map(figure).join("-"),
    row.target === undefined ? "" : `${row.target}`,
    row.what,
    row.against,
    `${figure(row.own)} ${row.unit}`,
    `${figure(row.other)} ${row.unit}`,
    row.note ?? "",
  ]);
  const head = ["ratio", "quartiles", "target", "what", "against", "own", "other", "note"];
  const used = head.map((_, column) => cells.some((texts) => texts[column] !== ""));
  const kept = (texts: string[]) => texts.filter((_, column) => used[column]);
  return { head: kept(head), rows: cells.map(kept) };
}

/** Three figures, whatever the size: "0.0303", "2.41", "758". */
export function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
