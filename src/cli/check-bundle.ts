/** `parablock check` of a bundle: its descriptor, every image by itself, and what a crash left in the folder. */
import type { Bundle, BundleReport } from "../bundle.js";
import { counted } from "../count.js";
import { DiskError, type RepairLevel } from "../index.js";
import { printable } from "../printable.js";
import { withBundle } from "./bundles.js";
import type { CheckFlags } from "./check.js";
import { EXIT, formatReport } from "./check-report.js";
import { usageFailure } from "./failure.js";
import { print, printJson } from "./print.js";

/** Checks, and repairs where that is asked for. Leftovers count as leaks: no byte of the disk is wrong. */
export async function checkBundle(folder: string, { json, repair, undo, forceShare }: CheckFlags): Promise<void> {
  if (undo !== undefined) throw usageFailure("--undo is for one image: name the file whose entries were dropped");
  await withBundle(folder, { forceShare }, async (bundle) => {
    const before = repair === undefined ? undefined : await repaired(bundle, repair);
    const report = await bundle.check();
    const { corruptions, leaks } = countsOf(report);
    process.exitCode = corruptions > 0 ? EXIT.corruption : leaks > 0 ? EXIT.leaks : EXIT.clean;
    if (json) await printJson({ filename: folder, corruptions, leaks, ...report, ...(before && { repaired: before }) });
    else await print(formatRepair(before, report) + formatBundle(folder, report));
  });
}

/** What was found before; where only leaks are to be freed and there is damage, all is left as it is. */
async function repaired(bundle: Bundle, level: RepairLevel): Promise<BundleReport | undefined> {
  try {
    return (await bundle.repair(level)).before;
  } catch (error) {
    if (level === "leaks" && error instanceof DiskError && error.code === "CORRUPT") return undefined;
    throw error;
  }
}

function countsOf({ images, strays, unfinished }: BundleReport): { corruptions: number; leaks: number } {
  const sum = (name: "corruptions" | "leaks") => images.reduce((total, { report }) => total + (report?.[name] ?? 0), 0);
  return { corruptions: sum("corruptions"), leaks: sum("leaks") + strays.length + unfinished.length };
}

function formatRepair(before: BundleReport | undefined, after: BundleReport): string {
  if (before === undefined) return "";
  const removed = before.strays.filter((name) => !after.strays.includes(name));
  const finished = before.unfinished.filter((guid) => !after.unfinished.includes(guid));
  const [old, now] = [countsOf(before), countsOf(after)];
  return [
    ...removed.map((name) => `repaired: ${printable(name)}, which nothing refers to, is removed\n`),
    ...finished.map((guid) => `repaired: the deletion of ${guid} is finished\n`),
    old.corruptions > now.corruptions ? `repaired: ${counted(old.corruptions - now.corruptions, "corruption")}\n` : "",
  ].join("");
}

function formatBundle(folder: string, report: BundleReport): string {
  const { images, strays, unfinished } = report;
  const { corruptions, leaks } = countsOf(report);
  const verdict =
    corruptions + leaks === 0 ? "no errors" : `${counted(corruptions, "corruption")}, ${counted(leaks, "leak")}`;
  return [
    ...images.map(({ file, report }) =>
      report ? formatReport(file, report) : `${printable(file)}: raw, nothing to check\n`,
    ),
    ...strays.map(
      (name) => `leak: nothing refers to ${printable(name)}, which a crash left; --repair leaks removes it\n`,
    ),
    ...unfinished.map((guid) => `leak: the deletion of ${guid} did not come to its end; --repair leaks finishes it\n`),
    `${printable(folder)}: ${counted(images.length, "image")}, ${verdict}\n`,
  ].join("");
}
