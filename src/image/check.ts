/** Check: what is wrong with an image and what it wastes. Changes nothing. */
import { counted, wordFor } from "../count.js";
import type { Operation } from "../operation.js";
import { badEntries } from "./bad-entries.js";
import { findingsOf } from "./findings.js";
import { type Image, requireOpen } from "./image.js";
import { countLeaks } from "./leaks.js";
import { locked } from "./range-locks.js";
import type { CheckReport, Finding } from "./reports.js";

/** How many clusters a finding names at most. */
const MAX_LISTED = 100;

/** Checks an image while nothing writes to it. */
export function* check(image: Image): Operation<CheckReport> {
  requireOpen(image);
  return yield* locked(image.locks, 0, Number.MAX_SAFE_INTEGER, false, () => inspect(image));
}

/** The check itself: the caller holds the locks. */
export function* inspect(image: Image): Operation<CheckReport> {
  requireOpen(image);
  const findings = namingClusters(image, findingsOf(image));
  const inside = yield* countLeaks(image);
  if (inside > 0) {
    const message = `${counted(inside, "cluster")} between used ones ${wordFor(inside, "holds", "hold")} data that nothing refers to`;
    findings.push({ kind: "leakedInside", severity: "leak", count: inside, message });
  }
  return {
    findings,
    corruptions: total(findings, "corruption"),
    leaks: total(findings, "leak"),
    totalClusters: image.engine.entryCount,
    allocatedClusters: image.engine.allocatedCount,
    fragmentedClusters: image.engine.countFragments(),
    imageEndOffset: image.tables.end,
  };
}

/** Names the clusters behind the findings about entries. */
function namingClusters(image: Image, findings: Finding[]): Finding[] {
  const lists = new Map(findings.map((finding) => [finding.kind as string, finding]));
  let wanted = findings.reduce((sum, { count }) => sum + Math.min(count, MAX_LISTED), 0);
  for (const { cluster, kind } of badEntries(image)) {
    const finding = lists.get(kind)!;
    finding.clusters ??= [];
    if (finding.clusters.length < MAX_LISTED) finding.clusters.push(cluster);
    if (--wanted === 0) break;
  }
  return findings;
}

function total(findings: Finding[], severity: Finding["severity"]): number {
  return findings.reduce((sum, finding) => sum + (finding.severity === severity ? finding.count : 0), 0);
}
