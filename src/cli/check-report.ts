/** What `check` says of one image, and what its exit codes mean: those of `qemu-img check`. */
import { counted, wordFor } from "../count.js";
import type { CheckReport, Finding } from "../index.js";
import { printable } from "../printable.js";
import { formatFields } from "./print.js";
import { formatExactSize, formatShare } from "./size.js";

export const EXIT = { clean: 0, corruption: 2, leaks: 3 } as const;

export function formatReport(file: string, report: CheckReport): string {
  const { findings, corruptions, leaks, allocatedClusters, totalClusters, fragmentedClusters } = report;
  const listed = findings.map(
    ({ severity, message, clusters }) => `${severity}: ${message}${formatClusters(clusters)}\n`,
  );
  const verdict =
    corruptions + leaks === 0
      ? "no errors"
      : `${counted(corruptions, "corruption")}, ${counted(leaks, "leaked cluster")}${adviceFor(findings)}`;
  return `${listed.join("")}${printable(file)}: ${verdict}\n${formatFields([
    [
      "allocated",
      `${allocatedClusters} of ${counted(totalClusters, "cluster")} (${formatShare(allocatedClusters, totalClusters)})`,
    ],
    ["fragmented", `${counted(fragmentedClusters, "cluster")} (${formatShare(fragmentedClusters, allocatedClusters)})`],
    ["image ends at", formatExactSize(report.imageEndOffset)],
  ])}`;
}

/** Every repair clears what was not closed cleanly. */
function adviceFor(findings: readonly Finding[]): string {
  const damaged = findings.some(({ kind, severity }) => severity === "corruption" && kind !== "unclean");
  return `; repair with --repair ${damaged ? "all" : "leaks"}`;
}

/** The first clusters that a finding is about. */
function formatClusters(clusters: readonly number[] | undefined): string {
  if (clusters === undefined) return "";
  const shown = clusters.slice(0, 10).join(", ");
  return ` (guest ${wordFor(clusters.length, "cluster")} ${shown}${clusters.length > 10 ? ", ..." : ""})`;
}
