/** `parablock resize`: a disk that is larger, or smaller, in place. */
import { type Command, InvalidArgumentError } from "commander";
import { type BlockDevice, Disk, rawDevice } from "../index.js";
import { printable } from "../printable.js";
import { bundleAt } from "./bundle-path.js";
import { bundleAround } from "./bundles.js";
import { about, Failure } from "./failure.js";
import { type ImageKind, kindOf } from "./kind.js";
import { closing, openStorage, orClose } from "./open-files.js";
import { baseOption, examples, kindOption } from "./options.js";
import { print, printJson, requireOutput } from "./print.js";
import { formatExactSize, formatSize, parseSize, wholeSectors } from "./size.js";
import { baseOf, openSource } from "./source.js";

interface ResizeFlags {
  from?: ImageKind;
  base?: string;
  fromBase?: ImageKind;
  shrink?: boolean;
  json?: boolean;
}

/** A size in bytes, or how much more or less than now. */
interface Wanted {
  sign: string;
  bytes: number;
}

/** In bytes. */
interface Resized {
  size: number;
  previousSize: number;
}

export function addResize(program: Command): void {
  program
    .command("resize")
    .summary("make a disk larger or smaller")
    .description(
      "Gives a disk another size, in place. What is added reads as zeros; what is cut off is lost, so that --shrink has to allow it. Partitions and file systems stay as they are: shrink them before, let them grow afterwards. Cut off at any moment, the disk has its old size or the new one.",
    )
    .argument("<file>", "a Parallels image, or a raw file")
    .argument(
      "<size>",
      "bytes, or a number with K, M, G or T; +SIZE or -SIZE for so much more or less; rounded up to whole sectors of 512 bytes",
      parseWanted,
    )
    .addOption(kindOption("--from <kind>", "FILE"))
    .addOption(baseOption())
    .addOption(kindOption("--from-base <kind>", "the base"))
    .option("--shrink", "let the disk become smaller: what lies behind its new end is lost")
    .option("--json", "report as JSON")
    .addHelpText("after", examples("resize disk.hds 128G", "resize disk.hds +10G", "resize --shrink disk.hds -10G"))
    .allowUnknownOption() // -10G looks like one; what is none ends up as a size, and is refused there
    .action(resize);
}

/** @throws InvalidArgumentError (a usage error) */
function parseWanted(text: string): Wanted {
  const [, sign = "", size = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (size.startsWith("-")) throw new InvalidArgumentError("There is no option of this name.");
  return { sign, bytes: parseSize(size) };
}

async function resize(file: string, wanted: Wanted, flags: ResizeFlags): Promise<void> {
  const base = baseOf(flags.base, flags.fromBase, "--from-base");
  requireOutput();
  await requireSingle(file);
  const below = base && (await openSource(base));
  const work = () => resizeOver(file, wanted, flags, below?.device);
  const resized = await (below === undefined ? work() : closing(below, work));
  if (flags.json) return printJson({ filename: file, ...resized });
  const { size, previousSize } = resized;
  const before = size === previousSize ? "as before" : `was ${formatSize(previousSize)}`;
  await print(`${printable(file)}: ${formatSize(size)}, ${before}\n`);
}

/** The descriptor of a bundle says how large its disk is: one image alone must not become another size. @throws Failure */
async function requireSingle(path: string): Promise<void> {
  const bundle = bundleAt(path);
  const folder = bundle ?? (await bundleAround(path));
  if (folder === undefined) return;
  const what = bundle === undefined ? `is an image of the bundle ${folder}` : "is a bundle";
  throw new Failure(
    `${path} ${what}, which cannot be resized: convert it to a single file (\`parablock convert ${folder} disk.hds\`), resize that, and convert it back`,
  );
}

function resizeOver(
  file: string,
  wanted: Wanted,
  { from, shrink = false }: ResizeFlags,
  base: BlockDevice | undefined,
): Promise<Resized> {
  return about(file, async () => {
    const device = await openDevice(file, from, base);
    return closing({ close: async () => device.close?.() }, async () => {
      const { size: previousSize } = device;
      const size = sizeFrom(file, previousSize, wanted);
      if (size < previousSize && !shrink)
        throw new Failure(
          `${file} would become smaller, ${formatExactSize(size)} of ${formatExactSize(previousSize)}, and what lies behind its new end would be lost: say --shrink if that is meant`,
        );
      await device.resize?.(size);
      await device.flush?.(); // that of a raw file
      return { size, previousSize };
    });
  });
}

async function openDevice(file: string, from: ImageKind | undefined, base?: BlockDevice): Promise<BlockDevice> {
  const storage = await openStorage(file);
  return orClose(storage, async () => {
    if ((from ?? (await kindOf(file, storage, "--from"))) === "parallels")
      return Disk.open(storage, { ...(base && { base }) });
    if (base !== undefined) throw new Failure(`${file} is raw, so nothing lies beneath it: leave --base out`);
    return rawDevice(storage);
  });
}

function sizeFrom(file: string, now: number, { sign, bytes }: Wanted): number {
  const size = wholeSectors(sign === "" ? bytes : sign === "+" ? now + bytes : now - bytes);
  if (size >= 0) return size;
  throw new Failure(`${file} has ${formatExactSize(now)}, fewer than were to be taken from it`);
}
