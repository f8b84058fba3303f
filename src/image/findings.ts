/** What is wrong with an image, as far as opening it tells. */

import { counted, wordFor } from "../count.js";
import { offsetMessage } from "./data-offset.js";
import { badSections, problemOf, type Section } from "./extension.js";
import type { Image } from "./image.js";
import type { Finding, FindingKind } from "./reports.js";

/** Every finding, the gravest kinds first. */
export function findingsOf(image: Image): Finding[] {
  return [...damages(image), ...unclean(image), ...leaks(image)];
}

/** The findings that make it unsafe to change the image: what was merely not closed cleanly is no damage. */
export function damages(image: Image): Finding[] {
  const { tables, medium } = image;
  const { facts, extension, clusterCount } = tables;
  const problem = problemOf(extension);
  const bad = badSections(extension);
  const { dataStart, dataStartValid } = tables.grid;
  const missing = Math.max(0, clusterCount - image.engine.entryCount);
  const found: [FindingKind, number, string][] = [
    ["dataOffset", dataStartValid ? 0 : 1, offsetMessage(image)],
    [
      "batTooSmall",
      missing,
      `the BAT has ${counted(image.engine.entryCount, "entry", "entries")}, the disk ${counted(clusterCount, "cluster")}`,
    ],
    ["below", facts.below, `${entries(facts.below)} before the data area (byte ${dataStart})`],
    ["outside", facts.outside, `${entries(facts.outside)} beyond the end of the file (byte ${medium.size})`],
    ["offGrid", facts.offGrid, `${entries(facts.offGrid)} between clusters`],
    ["duplicate", facts.duplicates, `${entries(facts.duplicates)} a cluster that another entry uses`],
    ["extension", problem === undefined ? 0 : 1, `the format extension cannot be kept: ${problem}`],
    ["bitmap", bad.length, `${counted(bad.length, "dirty bitmap")} cannot be kept: ${reasons(bad)}`],
  ];
  return found.flatMap(([kind, count, message]): Finding[] =>
    count > 0 ? [{ kind, severity: "corruption", count, message }] : [],
  );
}

/** Why sections cannot be kept, of the first few. */
function reasons(bad: readonly Section[]): string {
  const shown = bad.slice(0, 3).map(({ misplaced, problem }) => misplaced ?? problem);
  return [...shown, ...(bad.length > shown.length ? [`and ${bad.length - shown.length} more`] : [])].join("; ");
}

function leaks({ medium, tables, clusterSize }: Image): Finding[] {
  const count = Math.ceil((Math.min(medium.size, medium.foundSize) - tables.end) / clusterSize);
  if (count <= 0) return [];
  return [
    {
      kind: "leakedTail",
      severity: "leak",
      count,
      message: `${counted(count, "cluster")} at the end of the file ${wordFor(count, "is", "are")} not used`,
    },
  ];
}

/** Counted as other checkers of the format count it, until somebody has taken the image over. */
function unclean(image: Image): Finding[] {
  if (!image.foundUnclean) return [];
  const severity = image.takenOver ? "note" : "corruption";
  return [{ kind: "unclean", severity, count: 1, message: "the image was not closed cleanly" }];
}

function entries(count: number): string {
  return `${counted(count, "BAT entry", "BAT entries")} ${wordFor(count, "leads", "lead")} to`;
}
