/** `parablock bitmap`: which parts of a disk changed since when. */
import { Argument, type Command, InvalidArgumentError } from "commander";
import type { BitmapInfo, Disk } from "../index.js";
import { printable } from "../printable.js";
import { soleImage } from "./bundles.js";
import { dirtyAmountOf, STALE_NOTE } from "./dirty.js";
import { about, usageFailure } from "./failure.js";
import { openImage, withImage } from "./image.js";
import { closing } from "./open-files.js";
import { examples, parseUuid, shareOption } from "./options.js";
import { print, printJson, requireOutput } from "./print.js";
import { formatShare, formatSize, parseSize } from "./size.js";

interface BitmapFlags {
  granularity?: number;
  json?: boolean;
  forceShare?: boolean;
}

type Verb = "list" | "add" | "remove" | "clear";

/** What `list` tells of a bitmap. */
interface Listed extends BitmapInfo {
  /** How much of the disk it calls dirty; a stale one may have missed more. */
  dirtyBytes: number;
}

export function addBitmap(program: Command): void {
  program
    .command("bitmap")
    .summary("list, add, remove and clear dirty bitmaps")
    .description(
      "Dirty bitmaps of an image: which parts of the disk changed since a bitmap was added or cleared. list says how much that is, add makes one and prints its UUID, clear begins one anew, remove drops one. They are kept up to date by whatever Parablock writes. A bitmap that may have missed changes, as the image was not closed cleanly or by software that says nothing of bitmaps, is stale: it is used only with --trust-stale. `map --bitmap` shows what is dirty, `convert --bitmap` copies it.",
    )
    .addArgument(new Argument("<verb>", "what to do").choices(["list", "add", "remove", "clear"]))
    .argument("<file>", "a Parallels image, or a bundle of one image")
    .addArgument(
      new Argument(
        "[uuid]",
        "which bitmap, for remove and clear; for add the new one's (default: a new UUID)",
      ).argParser(parseUuid),
    )
    .option(
      "--granularity <size>",
      "for add: how much of the disk a bit stands for, a power of two (default: 64K)",
      parseGranularity,
    )
    .addOption(shareOption())
    .option("--json", "report as JSON")
    .addHelpText(
      "after",
      examples(
        "bitmap add disk.hds",
        "bitmap add disk.hds --granularity 1M",
        "bitmap list disk.hds",
        "bitmap clear disk.hds UUID",
        "bitmap remove disk.hds UUID",
      ),
    )
    .action(bitmap);
}

const MIN_GRANULARITY = 512;
const MAX_GRANULARITY = 2 ** 40;

/** @throws InvalidArgumentError (a usage error) */
function parseGranularity(text: string): number {
  const bytes = parseSize(text);
  if (bytes < MIN_GRANULARITY || bytes > MAX_GRANULARITY || !Number.isInteger(Math.log2(bytes)))
    throw new InvalidArgumentError("Give a power of two, from 512 to 1T.");
  return bytes;
}

async function bitmap(verb: Verb, file: string, id: string | undefined, flags: BitmapFlags): Promise<void> {
  const { granularity, forceShare } = flags;
  if (verb === "list" && id !== undefined) throw usageFailure("bitmap list takes no UUID: leave it out");
  if (verb !== "add" && granularity !== undefined)
    throw usageFailure("--granularity is for bitmap add: the others leave it as it is");
  if (forceShare && verb !== "list")
    throw usageFailure("--force-share is for looking only: leave it out to change the image");
  requireOutput();
  const image = await soleImage(file, "each with bitmaps of its own: name one of them");
  if (verb === "list") return list(image, flags);
  if (verb !== "add" && id === undefined) throw await withoutUuid(verb, image);
  const made = await changing(image, (disk) => change(verb, disk, id, granularity));
  if (flags.json) await printJson({ filename: image, ...(made.id && { id: made.id }), bitmaps: made.bitmaps });
  else await print(made.id === undefined ? "" : `${made.id}\n`);
}

async function withoutUuid(verb: Verb, image: string): Promise<Error> {
  const bitmaps = await withImage("Reading", image, false, (disk) => disk.bitmaps);
  const there =
    bitmaps.length === 0 ? `${image} has no bitmap` : `${image} has ${bitmaps.map(({ id }) => id).join(", ")}`;
  return usageFailure(`bitmap ${verb} needs a UUID: ${there}`);
}

/** Opens an image for writing, does something, and closes it. */
function changing<T>(path: string, work: (disk: Disk) => Promise<T>): Promise<T> {
  return about(path, async () => closing(await openImage(path), work));
}

/** Answers the bitmaps afterwards, and which one was made. */
async function change(verb: Verb, disk: Disk, id: string | undefined, granularity: number | undefined) {
  const made = verb === "add" ? await disk.addBitmap({ id, granularity }) : undefined;
  if (verb === "remove" && id !== undefined) await disk.removeBitmap(id);
  if (verb === "clear" && id !== undefined) await disk.clearBitmap(id);
  return { id: made, bitmaps: disk.bitmaps };
}

async function list(image: string, { json, forceShare }: BitmapFlags): Promise<void> {
  const { size, bitmaps } = await withImage("Reading", image, forceShare, async (disk) => {
    const bitmaps: Listed[] = [];
    for (const info of disk.bitmaps) {
      const { dirtyBytes } = await dirtyAmountOf(disk, { id: info.id, trustStale: true });
      bitmaps.push({ ...info, dirtyBytes });
    }
    return { size: disk.size, bitmaps };
  });
  if (json) await printJson({ filename: image, size, bitmaps });
  else await print(formatList(image, size, bitmaps));
}

function formatList(image: string, size: number, bitmaps: readonly Listed[]): string {
  if (bitmaps.length === 0) return `${printable(image)} has no dirty bitmaps\n`;
  const lines = bitmaps.map(({ id, granularity, stale, dirtyBytes }) => {
    const dirty = `${formatSize(dirtyBytes)} dirty (${formatShare(dirtyBytes, size)})`;
    return `${id}  ${formatSize(granularity)} a bit  ${stale ? `at least ${dirty}, stale` : dirty}\n`;
  });
  const note = bitmaps.some(({ stale }) => stale) ? `note: ${STALE_NOTE}\n` : "";
  return lines.join("") + note;
}
