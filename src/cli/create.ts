/** `parablock create`: an empty disk in a new file. */

import type { Command } from "commander";
import { Disk, type Format } from "../index.js";
import { FileStorage } from "../node.js";
import { printable } from "../printable.js";
import { Draft } from "./draft.js";
import { about } from "./failure.js";
import { clusterSizeOption, examples, formatOption } from "./options.js";
import { requireImageName } from "./output-name.js";
import { print, printJson, requireOutput } from "./print.js";
import { formatSize, parseSize, wholeSectors } from "./size.js";

interface CreateFlags {
  clusterSize?: number;
  format?: Format;
  force?: boolean;
  json?: boolean;
}

export function addCreate(program: Command): void {
  program
    .command("create")
    .summary("make an empty disk")
    .description("Makes an empty disk. It takes next to no space until something is written.")
    .argument("<file>", "the new image")
    .argument(
      "<size>",
      "the disk's size: bytes, or a number with K, M, G or T; rounded up to whole sectors of 512 bytes",
      parseSize,
    )
    .addOption(clusterSizeOption())
    .addOption(formatOption())
    .option("--force", "replace a file that exists")
    .option("--json", "report as JSON")
    .addHelpText("after", examples("create disk.hds 64G", "create --cluster-size 64K --format v1 small.hds 512M"))
    .action(create);
}

async function create(file: string, wanted: number, { force, json, ...shape }: CreateFlags): Promise<void> {
  const size = wholeSectors(wanted);
  requireImageName(file);
  requireOutput();
  const draft = Draft.begin(file, force);
  const disk = await about(file, async () =>
    Disk.create(await FileStorage.open(draft.path, { private: true }), { size, ...shape }),
  );
  const { format, clusterSize } = disk;
  await disk.close();
  draft.publish();
  if (json) return printJson({ filename: file, format, size, clusterSize });
  await print(`${printable(file)}: ${formatSize(size)}, format ${format}, clusters of ${formatSize(clusterSize)}\n`);
}
