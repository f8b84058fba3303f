/** `parablock check`: what is wrong with an image. Its exit codes are those of `qemu-img check`. */
import type { Command } from "commander";
import type { CheckReport } from "../operations/check.js";
import { openImage } from "./image.js";
import { examples } from "./options.js";
import { formatFields, print, printJson } from "./print.js";
import { formatExactSize, formatShare } from "./size.js";

const EXIT = { clean: 0, corruption: 2, leaks: 3 } as const;

export function addCheck(program: Command): void {
  program
    .command("check")
    .summary("look for damage and waste")
    .description(
      "Looks for damage and waste. Changes nothing. Exit code: 0 clean, 1 the check could not run, 2 corruption, 3 leaks only.",
    )
    .argument("<file>", "a Parallels image")
    .option("--json", "report as JSON")
    .addHelpText("after", examples("check disk.hds", "check --json disk.hds"))
    .action(check);
}

async function check(file: string, { json }: { json?: boolean }): Promise<void> {
  const disk = await openImage(file);
  const report = await disk.check();
  await disk.close();
  if (json) await printJson({ filename: file, ...report });
  else await print(formatReport(file, report));
  process.exitCode = report.corruptions > 0 ? EXIT.corruption : report.leaks > 0 ? EXIT.leaks : EXIT.clean;
}

function formatReport(file: string, report: CheckReport): string {
  const { findings, corruptions, leaks, allocatedClusters, totalClusters, fragmentedClusters } = report;
  const listed = findings.map(({ severity, message }) => `${severity}: ${message}\n`).join("");
  const verdict =
    corruptions + leaks === 0
      ? "no errors"
      : `${plural(corruptions, "corruption")}, ${plural(leaks, "leaked cluster")}`;
  return `${listed}${file}: ${verdict}\n${formatFields([
    [
      "allocated",
      `${allocatedClusters} of ${totalClusters} clusters (${formatShare(allocatedClusters, totalClusters)})`,
    ],
    ["fragmented", `${fragmentedClusters} clusters (${formatShare(fragmentedClusters, allocatedClusters)})`],
    ["image ends at", formatExactSize(report.imageEndOffset)],
  ])}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
