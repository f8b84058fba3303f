/** `parablock check`: what is wrong with an image, and mending it. Its exit codes are those of `qemu-img check`. */

import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { counted } from "../count.js";
import { type CheckReport, Disk, DiskError, type Finding, type RepairLevel, type RepairReport } from "../index.js";
import { printable } from "../printable.js";
import { bundleAt } from "./bundle-path.js";
import { EXIT, formatReport } from "./check-report.js";
import { about, usageFailure } from "./failure.js";
import { withImage } from "./image.js";
import { openStorage, showing } from "./open-files.js";
import { examples, shareOption } from "./options.js";
import { print, printJson, requireOutput } from "./print.js";

export interface CheckFlags {
  json?: boolean;
  repair?: RepairLevel;
  undo?: string;
  forceShare?: boolean;
}

export function addCheck(program: Command): void {
  program
    .command("check")
    .summary("look for damage and waste, and repair them")
    .description(
      "Looks for damage and waste; changes nothing unless told to repair. Exit code: 0 clean (afterwards), 1 the check could not run, 2 corruption, 3 leaks only.",
    )
    .argument("<file>", "a Parallels image, or a bundle: all its images, and what a crash left")
    .addOption(
      new Option(
        "--repair <what>",
        "leaks: free what nothing uses; all: mend damage, too. Before entries are dropped, header and BAT are saved in FILE.backup-N",
      ).choices(["leaks", "all"]),
    )
    .option("--undo <backup>", "put back the entries that a repair dropped")
    .addOption(shareOption())
    .option("--json", "report as JSON")
    .addHelpText(
      "after",
      examples(
        "check disk.hds",
        "check --repair all disk.hds",
        "check disk.hdd",
        "check --undo disk.hds.backup-1 disk.hds",
      ),
    )
    .action(check);
}

async function check(file: string, flags: CheckFlags): Promise<void> {
  const { json, repair, undo, forceShare } = flags;
  if (repair !== undefined && undo !== undefined) throw usageFailure("--repair and --undo exclude each other");
  if (forceShare && (repair ?? undo) !== undefined)
    throw usageFailure("--force-share is for looking only: leave it out to change the image");
  requireOutput();
  const folder = bundleAt(file);
  if (folder !== undefined) return (await import("./check-bundle.js")).checkBundle(folder, flags);
  const restored = undo === undefined ? undefined : await undoRepair(file, undo);
  const repaired = repair === undefined ? undefined : await repairImage(file, repair);
  const report = repaired?.after ?? (await lookAt(file, forceShare));
  process.exitCode = report.corruptions > 0 ? EXIT.corruption : report.leaks > 0 ? EXIT.leaks : EXIT.clean;
  if (json) await printJson({ filename: file, ...report, ...extras(repaired, restored) });
  else await print(formatExtras(repaired, restored) + formatReport(file, report));
}

function lookAt(file: string, share?: boolean): Promise<CheckReport> {
  return withImage("Checking", file, share, (disk) => disk.check());
}

/** Repairs an image; a damaged one is left as it is where only leaks are to be freed. */
function repairImage(file: string, level: RepairLevel): Promise<RepairReport | undefined> {
  return about(file, async () => {
    const storage = await openStorage(file);
    try {
      const disk = await showing("Repairing", storage, () => Disk.open(storage, { repair: level }));
      await disk.close();
      return disk.repaired!;
    } catch (error) {
      if (level === "leaks" && error instanceof DiskError && error.code === "CORRUPT") return undefined;
      throw error;
    }
  });
}

function undoRepair(file: string, backup: string): Promise<number> {
  return about(file, async () => {
    const bytes = readFileSync(backup);
    return Disk.undoRepair(await openStorage(file), bytes);
  });
}

function extras(repaired: RepairReport | undefined, restored: number | undefined): object {
  return {
    ...(repaired && { repaired: repairedFindings(repaired), ...(repaired.backup && { backup: repaired.backup }) }),
    ...(restored !== undefined && { restored }),
  };
}

function formatExtras(repaired: RepairReport | undefined, restored: number | undefined): string {
  const lines: string[] = [];
  if (restored !== undefined) lines.push(`${counted(restored, "entry", "entries")} put back\n`);
  if (repaired?.backup) lines.push(`header and BAT as they were: ${printable(String(repaired.backup))}\n`);
  for (const { severity, message } of repairedFindings(repaired)) lines.push(`repaired: ${severity}: ${message}\n`);
  if (repaired !== undefined && repaired.after.leaks > 0)
    lines.push("kept: what nothing refers to now may be what a wrong entry meant; --repair leaks frees it\n");
  return lines.join("");
}

/** What was found before and is not there any more. Leaks that were kept may go by another name. */
function repairedFindings(repaired: RepairReport | undefined): Finding[] {
  if (repaired === undefined) return [];
  const left = new Set(repaired.after.findings.map(({ kind }) => kind));
  return repaired.before.findings.filter(
    ({ kind, severity }) => !left.has(kind) && (severity !== "leak" || repaired.after.leaks === 0),
  );
}
