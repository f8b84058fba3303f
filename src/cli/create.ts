/** `parablock create`: an empty disk in a new file. */

import type { Command } from "commander";
import { Disk, type Format } from "../index.js";
import { FileStorage } from "../node.js";
import { printable } from "../printable.js";
import { BundleDraft } from "./bundle-draft.js";
import { Draft } from "./draft.js";
import { about, usageFailure } from "./failure.js";
import { outputKindByName } from "./kind.js";
import { bundleOptions, clusterSizeOption, examples, formatOption } from "./options.js";
import { requireImageName } from "./output-name.js";
import { print, printJson, requireOutput } from "./print.js";
import { formatSize, parseSize, wholeSectors } from "./size.js";
import { makeBundle } from "./target.js";

interface CreateFlags {
  clusterSize?: number;
  format?: Format;
  split?: number;
  plain?: boolean;
  force?: boolean;
  json?: boolean;
}

export function addCreate(program: Command): void {
  const command = program
    .command("create")
    .summary("make an empty disk")
    .description(
      "Makes an empty disk: one file, or a bundle, which is a folder, where the name ends in .hdd. It takes next to no space until something is written.",
    )
    .argument("<file>", "the new image, or NAME.hdd for a bundle")
    .argument(
      "<size>",
      "the disk's size: bytes, or a number with K, M, G or T; rounded up to whole sectors of 512 bytes",
      parseSize,
    )
    .addOption(clusterSizeOption())
    .addOption(formatOption())
    .option("--force", "replace a file that exists")
    .option("--json", "report as JSON")
    .addHelpText(
      "after",
      examples(
        "create disk.hds 64G",
        "create --cluster-size 64K --format v1 small.hds 512M",
        "create disk.hdd 64G",
        "create --split 2G disk.hdd 64G",
      ),
    )
    .action(create);
  for (const option of bundleOptions()) command.addOption(option);
}

async function create(file: string, wanted: number, flags: CreateFlags): Promise<void> {
  const { force, json, split, plain, ...shape } = flags;
  const size = wholeSectors(wanted);
  requireImageName(file);
  requireOutput();
  if (outputKindByName(file) === "bundle") return createBundle(file, size, flags);
  if (split !== undefined || plain)
    throw usageFailure("--split and --plain are for bundles: choose a name that ends in .hdd");
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

async function createBundle(file: string, size: number, { force, json, ...shape }: CreateFlags): Promise<void> {
  const draft = await BundleDraft.begin(file, force);
  const parts = await about(file, async () => {
    try {
      const bundle = await makeBundle(draft, file, { size, ...shape }, (storage) => storage);
      await bundle.close();
      await draft.publish();
      return bundle.parts;
    } catch (error) {
      draft.discard();
      throw error;
    }
  });
  const clusterSize = parts[0]?.clusterSize;
  if (json) return printJson({ filename: file, format: "bundle", size, clusterSize, parts: parts.length });
  const cut = parts.length > 1 ? `, in ${parts.length} parts` : "";
  await print(`${printable(file)}: ${formatSize(size)}, a bundle, clusters of ${formatSize(clusterSize ?? 0)}${cut}\n`);
}
