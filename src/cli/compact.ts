/** `parablock compact`: an image's file becomes as small as what it holds. */
import type { Command } from "commander";
import { counted } from "../count.js";
import type { BlockDevice, CompactReport } from "../index.js";
import { printable } from "../printable.js";
import { bundleAt } from "./bundle-path.js";
import { soleImage } from "./bundles.js";
import { about } from "./failure.js";
import { openImage } from "./image.js";
import type { ImageKind } from "./kind.js";
import { closing } from "./open-files.js";
import { baseOption, examples, kindOption } from "./options.js";
import { requireDistinct } from "./overlay.js";
import { print, printJson, requireOutput } from "./print.js";
import { withProgress } from "./progress.js";
import { formatSize } from "./size.js";
import { baseOf, openSource } from "./source.js";

interface CompactFlags {
  base?: string;
  fromBase?: ImageKind;
  dryRun?: boolean;
  order?: boolean;
  json?: boolean;
}

/** Images with others beneath them show those where they hold nothing. */
const MANY_IMAGES =
  "in which zeros may hide what another one holds: delete its snapshots first, or name one image and, with --base, what it stands on";

export function addCompact(program: Command): void {
  program
    .command("compact")
    .summary("make an image's file as small as what it holds")
    .description(
      "Frees clusters of nothing but zeros, moves what lies at the end of FILE into gaps, and cuts it. The disk reads as before, also if this is cut off. An overlay needs its base named: zeros in it hide what the base holds, and stay. Where there is nothing to gain nothing is written.",
    )
    .argument("<file>", "a Parallels image, or a bundle of one image")
    .addOption(baseOption())
    .addOption(kindOption("--from-base <kind>", "the base"))
    .option("--dry-run", "only say what would be gained: FILE is read, and not written")
    .option("--order", "leave the clusters in FILE in the order of the disk; more of them move then")
    .option("--json", "report as JSON")
    .addHelpText(
      "after",
      examples("compact --dry-run disk.hds", "compact disk.hds", "compact top.hds --base below.hds"),
    )
    .action(compact);
}

async function compact(file: string, flags: CompactFlags): Promise<void> {
  const below = baseOf(flags.base, flags.fromBase, "--from-base");
  requireDistinct(file, { "--base": flags.base });
  requireOutput();
  const image = below === undefined || bundleAt(file) !== undefined ? await soleImage(file, MANY_IMAGES, true) : file;
  const report = await openBase(below, (base) => compactImage(image, base, flags));
  if (flags.json) await printJson({ filename: image, dryRun: flags.dryRun ?? false, ...report });
  else await print(describe(image, report, flags));
}

async function openBase<T>(
  below: ReturnType<typeof baseOf>,
  work: (base: BlockDevice | undefined) => Promise<T>,
): Promise<T> {
  return below === undefined ? work(undefined) : closing(await openSource(below), ({ device }) => work(device));
}

function compactImage(
  file: string,
  base: BlockDevice | undefined,
  { dryRun = false, order = false }: CompactFlags,
): Promise<CompactReport> {
  return about(file, async () => {
    const disk = await openImage(file, { readOnly: dryRun, base });
    return closing(disk, () =>
      withProgress(dryRun ? "Looking" : "Compacting", disk.allocatedBytes, (progress) =>
        disk.compact({ dryRun, order, onProgress: (done, total) => progress.update(done, total) }),
      ),
    );
  });
}

function describe(file: string, report: CompactReport, { dryRun, order }: CompactFlags): string {
  const { fileSizeBefore, fileSizeAfter, zeroClusters, freeClusters, movedClusters } = report;
  const name = printable(file);
  const gained = fileSizeBefore - fileSizeAfter;
  if (gained === 0 && movedClusters === 0)
    return `Nothing to gain: ${name} stays as it is (${formatSize(fileSizeAfter)})\n`;
  const verb = dryRun ? "would shrink" : "shrank";
  const moved = `${dryRun && order ? "at least " : ""}${counted(movedClusters, "cluster")}`;
  return [
    `${name} ${verb} from ${formatSize(fileSizeBefore)} to ${formatSize(fileSizeAfter)}, by ${formatSize(gained)}\n`,
    `clusters of zeros: ${zeroClusters}, gaps: ${counted(freeClusters, "cluster")}, moved: ${moved}\n`,
  ].join("");
}
