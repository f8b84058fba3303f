/** `parablock commit`: what an overlay holds goes into its base. */
import type { Command } from "commander";
import { counted } from "../count.js";
import type { BlockDevice } from "../index.js";
import { commitDisk } from "../overlay.js";
import { printable } from "../printable.js";
import { about } from "./failure.js";
import type { ImageKind } from "./kind.js";
import { closing } from "./open-files.js";
import { examples, kindOption } from "./options.js";
import { openBase, openOverlay, requireDistinct } from "./overlay.js";
import { print, printJson, requireOutput } from "./print.js";
import { withProgress } from "./progress.js";
import { formatSize } from "./size.js";
import { baseOf, openSource } from "./source.js";

interface CommitFlags {
  base: string;
  fromBase?: ImageKind;
  baseBase?: string;
  fromBaseBase?: ImageKind;
  keep?: boolean;
  json?: boolean;
}

export function addCommit(program: Command): void {
  program
    .command("commit")
    .summary("write what an overlay holds into its base")
    .description(
      "Writes what TOP itself holds into the base that it stands on, then empties it. The base alone reads as TOP did; other overlays over it do not read as before. Cut off at any moment, TOP over its base reads as before: run it again. A base that is too small grows.",
    )
    .argument("<top>", "the overlay, a Parallels image")
    .requiredOption("--base <file>", "what it stands on: an image or a raw file")
    .addOption(kindOption("--from-base <kind>", "the base"))
    .option("--base-base <file>", "what the base stands on, if it is an overlay itself")
    .addOption(kindOption("--from-base-base <kind>", "what the base stands on"))
    .option("--keep", "leave TOP as it is")
    .option("--json", "report as JSON")
    .addHelpText("after", examples("commit top.hds --base below.hds", "commit top.hds --base vm.raw --keep"))
    .action(commit);
}

async function commit(top: string, flags: CommitFlags): Promise<void> {
  const { base, fromBase, baseBase, fromBaseBase } = flags;
  const below = baseOf(baseBase, fromBaseBase, "--from-base-base");
  requireDistinct(top, { "--base": base, "--base-base": baseBase });
  if (baseBase !== undefined) requireDistinct(base, { "--base-base": baseBase });
  requireOutput();
  const bottom = below && (await openSource(below));
  const work = async () => {
    const device = await openBase({ path: base, kind: fromBase, option: "--from-base" }, bottom?.device);
    await closing({ close: async () => device.close?.() }, () => commitTo(top, device, flags));
  };
  await (bottom === undefined ? work() : closing(bottom, work));
}

async function commitTo(top: string, device: BlockDevice, { base, keep = false, json }: CommitFlags): Promise<void> {
  const disk = await openOverlay(top, device, keep);
  const committed = disk.allocatedBytes;
  await closing(disk, () =>
    withProgress("Committing", committed, (progress) =>
      about(top, () => commitDisk(disk, { keep, onProgress: (done) => progress.update(done) })),
    ),
  );
  if (json) return printJson({ filename: top, base, committedBytes: committed, kept: keep });
  const clusters = counted(committed / disk.clusterSize, "cluster");
  const rest = keep ? "" : `; ${printable(top)} is empty now`;
  await print(`${formatSize(committed)} (${clusters}) written to ${printable(base)}${rest}\n`);
}
