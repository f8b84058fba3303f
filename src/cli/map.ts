/** `parablock map`: what lies where, as a list or as a picture. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import type { BlockDevice, Disk, Extent } from "../index.js";
import { printable } from "../printable.js";
import { bundleAt } from "./bundles.js";
import { Draft, requireOther } from "./draft.js";
import { allExtents } from "./extents.js";
import { about, Failure } from "./failure.js";
import type { ImageKind } from "./kind.js";
import { LayerFiles, type Placed, placed } from "./layer-files.js";
import { closing } from "./open-files.js";
import { baseOption, examples, kindOption, shareOption, snapshotOption } from "./options.js";
import { requirePictureName } from "./output-name.js";
import { Picture } from "./picture.js";
import { drawPicture } from "./picture-svg.js";
import { print, printAll } from "./print.js";
import { PATIENCE, type Progress, withProgress } from "./progress.js";
import { baseOf, type Named, openSource } from "./source.js";

interface MapFlags {
  snapshot?: string;
  base?: string;
  fromBase?: ImageKind;
  json?: boolean;
  svg?: string;
  force?: boolean;
  forceShare?: boolean;
}

export function addMap(program: Command): void {
  program
    .command("map")
    .summary("say what lies where")
    .description(
      "Lists the extents of a disk, one a line: guest offset, length, what it is (data, zero, base), offset in the file that holds it, all in bytes; of a bundle also which file that is.",
    )
    .argument("<file>", "a Parallels image, or a bundle")
    .addOption(snapshotOption("--snapshot <guid>", "FILE"))
    .addOption(baseOption())
    .addOption(kindOption("--from-base <kind>", "the base"))
    .option("--json", "the fields of `qemu-img map --output=json`")
    .option("--svg <out>", "draw the allocation instead, as a picture in this file (- for standard output)")
    .option("--force", "replace a picture that exists")
    .addOption(shareOption())
    .addHelpText(
      "after",
      examples(
        "map disk.hds",
        "map --json --base below.hds above.hds",
        "map disk.hdd",
        "map --svg allocation.svg disk.hds",
      ),
    )
    .action(map);
}

async function map(file: string, flags: MapFlags): Promise<void> {
  const { snapshot, base, fromBase, json, svg, force, forceShare } = flags;
  if (svg !== undefined) requireOther(svg, [file, base]);
  if (svg !== undefined) requirePictureName(svg);
  if (svg !== undefined && bundleAt(file) !== undefined)
    throw new Failure(`${file} is a bundle, a picture shows one image: name one of its files, or leave --svg out`);
  const image: Named = { path: file, kind: "parallels", option: "--from", snapshot };
  const source = await openSource(image, { base: baseOf(base, fromBase, "--from-base"), forceShare });
  const { device, disk } = source;
  const files = source.bundle && new LayerFiles(source.bundle, source.snapshot);
  const tell = async (progress?: Progress) => {
    if (svg !== undefined && disk) await draw(disk, file, watched(device, progress), svg, force);
    if (json) await printAll(jsonLines(watched(device, progress), files));
    else if (svg === undefined) await printAll(textLines(device.size, watched(device, progress), files));
  };
  // Lines on the same terminal say enough.
  const listing = process.stdout.isTTY && (json || svg === undefined);
  await closing(source, () => (listing ? tell() : withProgress("Mapping", device.size, tell, PATIENCE)));
}

type Batches = AsyncGenerator<Extent[]>;

async function* watched(device: BlockDevice, progress: Progress | undefined): Batches {
  for await (const extents of allExtents(device)) {
    yield extents;
    const last = extents[extents.length - 1];
    if (last !== undefined) progress?.update(last.offset + last.length);
  }
}

async function* textLines(size: number, batches: Batches, files?: LayerFiles): AsyncGenerator<string> {
  const width = `${size}`.length;
  const column = (bytes: number) => `${bytes}`.padStart(width);
  for await (const extents of batches) {
    for (const { offset, length, layer, fileOffset, file, ...extent } of placed(extents, files)) {
      const kind = extent.kind === "data" && layer > 0 ? "base" : extent.kind;
      const place = fileOffset === undefined ? "" : ` ${column(fileOffset)}`;
      yield `${column(offset)} ${column(length)} ${kind}${place}${file === undefined ? "" : ` ${printable(file)}`}\n`;
    }
  }
}

/** The very text that `qemu-img map --output=json` prints. */
async function* jsonLines(batches: Batches, files?: LayerFiles): AsyncGenerator<string> {
  let before = "[";
  for await (const extents of batches) {
    for (const extent of placed(extents, files)) {
      yield before + jsonOf(extent);
      before = ",\n";
    }
  }
  yield before === "[" ? "[]\n" : "]\n";
}

function jsonOf({ offset, length, layer, fileOffset, kind, file }: Placed): string {
  const present = fileOffset !== undefined;
  const fields = `"start": ${offset}, "length": ${length}, "depth": ${layer}, "present": ${present}, "zero": ${kind === "zero"}, "data": ${kind === "data"}`;
  const name = file === undefined ? "" : `, "filename": ${printable(JSON.stringify(file))}`;
  return present ? `{ ${fields}, "offset": ${fileOffset}${name}}` : `{ ${fields}}`;
}

async function draw(disk: Disk, path: string, batches: Batches, out: string, force?: boolean): Promise<void> {
  const { fileSize, dataOffset, format } = disk.info;
  const picture = new Picture(disk.size, disk.clusterSize, fileSize, dataOffset);
  for await (const extents of batches) for (const extent of extents) picture.add(extent);
  const svg = drawPicture(picture, basename(path), format);
  if (out === "-") return print(svg);
  await about(out, () => {
    const draft = Draft.begin(out, force);
    writeFileSync(draft.path, svg);
    draft.publish();
  });
}
