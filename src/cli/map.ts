/** `parablock map`: what lies where, as a list or as a picture. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import type { BlockDevice, Disk, Extent } from "../index.js";
import { Draft, requireOther } from "./draft.js";
import { allExtents } from "./extents.js";
import { about } from "./failure.js";
import type { ImageKind } from "./kind.js";
import { closing } from "./open-files.js";
import { baseOption, examples, kindOption, shareOption } from "./options.js";
import { requirePictureName } from "./output-name.js";
import { Picture } from "./picture.js";
import { drawPicture } from "./picture-svg.js";
import { print, printAll } from "./print.js";
import { PATIENCE, type Progress, withProgress } from "./progress.js";
import { baseOf, type Named, openSource } from "./source.js";

interface MapFlags {
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
      "Lists the extents of a disk, one a line: guest offset, length, what it is (data, zero, base), offset in the file that holds it; all in bytes.",
    )
    .argument("<file>", "a Parallels image")
    .addOption(baseOption())
    .addOption(kindOption("--from-base <kind>", "the base"))
    .option("--json", "the fields of `qemu-img map --output=json`")
    .option("--svg <out>", "draw the allocation instead, as a picture in this file (- for standard output)")
    .option("--force", "replace a picture that exists")
    .addOption(shareOption())
    .addHelpText(
      "after",
      examples("map disk.hds", "map --json --base below.hds above.hds", "map --svg allocation.svg disk.hds"),
    )
    .action(map);
}

async function map(file: string, { base, fromBase, json, svg, force, forceShare }: MapFlags): Promise<void> {
  if (svg !== undefined) requireOther(svg, [file, base]);
  if (svg !== undefined) requirePictureName(svg);
  const image: Named = { path: file, kind: "parallels", option: "--from" };
  const source = await openSource(image, { base: baseOf(base, fromBase, "--from-base"), forceShare });
  const { device, disk } = source;
  const tell = async (progress?: Progress) => {
    if (svg !== undefined && disk) await draw(disk, file, watched(device, progress), svg, force);
    if (json) await printAll(jsonLines(watched(device, progress)));
    else if (svg === undefined) await printAll(textLines(device.size, watched(device, progress)));
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

async function* textLines(size: number, batches: Batches): AsyncGenerator<string> {
  const width = `${size}`.length;
  const column = (bytes: number) => `${bytes}`.padStart(width);
  for await (const extents of batches) {
    for (const { offset, length, layer, fileOffset, ...extent } of extents) {
      const kind = extent.kind === "data" && layer > 0 ? "base" : extent.kind;
      yield `${column(offset)} ${column(length)} ${kind}${fileOffset === undefined ? "" : ` ${column(fileOffset)}`}\n`;
    }
  }
}

/** The very text that `qemu-img map --output=json` prints. */
async function* jsonLines(batches: Batches): AsyncGenerator<string> {
  let before = "[";
  for await (const extents of batches) {
    for (const extent of extents) {
      yield before + jsonOf(extent);
      before = ",\n";
    }
  }
  yield before === "[" ? "[]\n" : "]\n";
}

function jsonOf({ offset, length, layer, fileOffset, kind }: Extent): string {
  const present = fileOffset !== undefined;
  const fields = `"start": ${offset}, "length": ${length}, "depth": ${layer}, "present": ${present}, "zero": ${kind === "zero"}, "data": ${kind === "data"}`;
  return present ? `{ ${fields}, "offset": ${fileOffset}}` : `{ ${fields}}`;
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
