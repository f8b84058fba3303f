/** Check: what is wrong with an image and what it wastes, in numbers. */
import { endOf, type Finding, findingsOf } from "./findings.js";
import { type Image, requireOpen } from "./image.js";

export interface CheckReport {
  findings: Finding[];
  /** Places that are wrong: entries, clusters or header fields. */
  corruptions: number;
  /** Clusters of the file that nothing uses. */
  leaks: number;
  totalClusters: number;
  allocatedClusters: number;
  /** Allocated clusters that do not follow their allocated neighbour in the file. */
  fragmentedClusters: number;
  /** One past the last byte of the file that is in use. */
  imageEndOffset: number;
}

export function check(image: Image): CheckReport {
  requireOpen(image);
  const findings = findingsOf(image);
  return {
    findings,
    corruptions: sum(findings, "corruption"),
    leaks: sum(findings, "leak"),
    totalClusters: image.engine.entryCount,
    allocatedClusters: image.engine.allocatedCount,
    fragmentedClusters: image.facts.fragmented,
    imageEndOffset: endOf(image),
  };
}

function sum(findings: Finding[], severity: Finding["severity"]): number {
  return findings.reduce((total, finding) => total + (finding.severity === severity ? finding.count : 0), 0);
}
