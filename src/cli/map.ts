/** `parablock map`: what lies where, as a list or as a picture. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import type { BlockDevice, Extent } from "../index.js";
import { Draft, requireOther } from "./draft.js";
import { allExtents } from "./extents.js";
import { about, usageFailure } from "./failure.js";
import type { ImageKind } from "./kind.js";
import { allPlaced, LayerFiles } from "./layer-files.js";
import { printEach, printList } from "./lines.js";
import { addJson, textLine } from "./map-lines.js";
import { closing } from "./open-files.js";
import { baseOption, bitmapOption, examples, kindOption, shareOption, snapshotOption, trustOption } from "./options.js";
import { requirePictureName } from "./output-name.js";
import { Picture } from "./picture.js";
import { drawPicture } from "./picture-svg.js";
import { isTerminal, print } from "./print.js";
import { PATIENCE, type Progress, withProgress } from "./progress.js";
import { baseOf, type Named, openSource, type Source } from "./source.js";

interface MapFlags {
  snapshot?: string;
  base?: string;
  fromBase?: ImageKind;
  bitmap?: string;
  trustStale?: boolean;
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
    .addOption(
      bitmapOption("say what this dirty bitmap says instead: which parts of the disk changed, and which did not"),
    )
    .addOption(trustOption())
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
        "map --bitmap UUID disk.hds",
        "map --svg allocation.svg disk.hds",
      ),
    )
    .action(map);
}

async function map(file: string, flags: MapFlags): Promise<void> {
  const { snapshot, base, fromBase, bitmap, json, svg, force, forceShare } = flags;
  if (bitmap !== undefined) {
    const source = { id: bitmap, trustStale: requireBitmapOnly(flags) };
    return (await import("./map-bitmap.js")).mapBitmap(file, source, flags);
  }
  if (flags.trustStale) throw usageFailure("--trust-stale is for bitmaps: name one with --bitmap, or leave it out");
  if (svg !== undefined) requireOther(svg, [file, base]);
  if (svg !== undefined) requirePictureName(svg);
  const image: Named = { path: file, kind: "parallels", option: "--from", snapshot };
  const source = await openSource(image, { base: baseOf(base, fromBase, "--from-base"), forceShare });
  const { device } = source;
  const files = source.bundle && new LayerFiles(source.bundle, source.snapshot);
  const tell = async (progress?: Progress) => {
    if (svg !== undefined) await draw(source, file, watched(device, progress), svg, force);
    const runs = allPlaced(watched(device, progress), files);
    if (json) await printList(runs, addJson);
    else if (svg === undefined) await printEach(runs, textLine(device.size));
  };
  // Lines on the same terminal say enough.
  const listing = (json || svg === undefined) && isTerminal("stderr") && isTerminal("stdout");
  await closing(source, () => (listing ? tell() : withProgress("Mapping", device.size, tell, PATIENCE)));
}

/** A bitmap belongs to one image, and knows nothing of places. Answers whether it is trusted. @throws Failure */
function requireBitmapOnly({ snapshot, base, fromBase, svg, trustStale }: MapFlags): boolean | undefined {
  const given = { "--snapshot": snapshot, "--base": base, "--from-base": fromBase, "--svg": svg };
  const [extra] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (extra !== undefined)
    throw usageFailure(`--bitmap lists what changed in one image: leave ${extra} out, or --bitmap`);
  return trustStale;
}

type Batches = AsyncGenerator<Extent[]>;

async function* watched(device: BlockDevice, progress: Progress | undefined): Batches {
  for await (const extents of allExtents(device)) {
    yield extents;
    const last = extents[extents.length - 1];
    if (last !== undefined) progress?.update(last.offset + last.length);
  }
}

/** A bundle has no one file: what is on top is coloured by its place on the disk. */
async function draw(
  { disk, device }: Source,
  path: string,
  batches: Batches,
  out: string,
  force?: boolean,
): Promise<void> {
  const { fileSize, dataOffset, format } = disk?.info ?? { fileSize: device.size, dataOffset: 0, format: undefined };
  const picture = new Picture(device.size, device.clusterSize ?? 512, fileSize, dataOffset);
  for await (const extents of batches) {
    for (const extent of extents) {
      const isMoved = disk === undefined && extent.fileOffset !== undefined;
      picture.add(isMoved ? { ...extent, fileOffset: extent.offset } : extent);
    }
  }
  const svg = drawPicture(picture, basename(path), format);
  if (out === "-") return print(svg);
  await about(out, () => {
    const draft = Draft.begin(out, force);
    writeFileSync(draft.path, svg);
    draft.publish();
  });
}
