/** `parablock convert`: disks from one format to the other, and new copies without what is zero. */
import { type Command, Option } from "commander";
import { counted } from "../count.js";
import type { BlockDevice, Format } from "../index.js";
import { type BackupFlags, backup } from "./backup.js";
import { requireFreeBundle } from "./bundle-draft.js";
import { copy } from "./copy.js";
import { Draft, requireFree, requireOther } from "./draft.js";
import { existingTarget, requireRoom } from "./existing.js";
import { Failure, usageFailure } from "./failure.js";
import { type ImageKind, type OutputKind, outputKindByName } from "./kind.js";
import { closing } from "./open-files.js";
import {
  baseOption,
  bitmapOption,
  bundleOptions,
  clusterSizeOption,
  examples,
  formatOption,
  kindOption,
  shareOption,
  snapshotOption,
  trustOption,
} from "./options.js";
import { requireConvertible } from "./output-name.js";
import { isTerminal } from "./print.js";
import { withProgress } from "./progress.js";
import { parseSize } from "./size.js";
import { baseOf, openSource } from "./source.js";
import { readStreamPiece, standardInput, streamPieces } from "./stdin.js";
import { bundleTarget, parallelsTarget, rawTarget, spoolTarget, streamTarget, type Target } from "./target.js";
import { windowsOf } from "./windows.js";

interface ConvertFlags {
  from?: ImageKind;
  to?: OutputKind;
  snapshot?: string;
  split?: number;
  plain?: boolean;
  clusterSize?: number;
  format?: Format;
  base?: string;
  fromBase?: ImageKind;
  size?: number;
  /** False for `--no-create`. */
  create: boolean;
  force?: boolean;
  forceShare?: boolean;
  bitmap?: string;
  trustStale?: boolean;
  clear?: boolean;
  json?: boolean;
}

const STREAM = "-";

export function addConvert(program: Command): void {
  const command = program
    .command("convert")
    .summary("convert a disk from or to raw bytes, or make a compact copy")
    .description(
      "Converts between Parallels images, bundles and raw files. What is zero takes no space in the output, which appears under its name only when it is complete. Images of other software, packed files and the like are refused by name; --from raw takes any file's bytes as they are.",
    )
    .argument("<in>", "the disk to read; - for raw bytes from standard input")
    .argument("<out>", "the file to make; - for raw bytes to standard output")
    .addOption(kindOption("--from <kind>", "IN"))
    .addOption(
      new Option(
        "--to <kind>",
        "what OUT is to be (default: by its name - .hds parallels, .hdd a bundle, .raw and .img raw; one that promises another format is refused - else what IN is not)",
      ).choices(["parallels", "bundle", "raw"]),
    )
    .addOption(snapshotOption("--snapshot <guid>", "IN"))
    .addOption(clusterSizeOption())
    .addOption(formatOption())
    .addOption(baseOption())
    .addOption(kindOption("--from-base <kind>", "the base"))
    .option(
      "--size <size>",
      "how much standard input brings; without it, an image needs a temporary raw copy",
      parseSize,
    )
    .addOption(shareOption())
    .option("--force", "replace a file that exists, once the new one is complete")
    .option(
      "-n, --no-create",
      "write into a disk that exists, an image, a bundle or a raw file, as large as IN at least: zeros of IN become zeros there, what lies behind its end stays as it is",
    )
    .addOption(
      bitmapOption(
        "incremental backup: copy only what this dirty bitmap of IN says has changed, into OUT, a copy of the time when the bitmap began",
      ),
    )
    .option("--clear", "with --bitmap: begin the bitmap anew, once the copy is complete and durable")
    .addOption(trustOption())
    .option("--json", "with --bitmap: report as JSON")
    .addHelpText(
      "after",
      examples(
        "convert disk.hds disk.raw",
        "convert --cluster-size 64K disk.raw disk.hds",
        "convert --base below.hds above.hds merged.hds",
        "convert disk.hds - | gzip > disk.raw.gz",
        "convert - disk.hds < disk.raw",
        "convert disk.hdd disk.raw",
        "convert disk.raw disk.hdd",
        "convert --no-create disk.raw exists.hds",
        "convert --bitmap UUID --clear disk.hds backup.hds",
      ),
    )
    .action(convert);
  for (const option of bundleOptions()) command.addOption(option);
}

async function convert(input: string, out: string, flags: ConvertFlags): Promise<void> {
  const { bitmap } = flags;
  if (bitmap !== undefined) return backup(input, out, { ...flags, bitmap } satisfies BackupFlags);
  requireNoBitmapFlags(flags);
  requireSensible(input, out, flags);
  if (input === STREAM) await convertStream(out, flags);
  else await convertFile(input, out, flags);
}

/** What else there is to say of a bitmap. @throws Failure */
function requireNoBitmapFlags({ trustStale, clear, json }: ConvertFlags): void {
  const given = { "--clear": clear, "--trust-stale": trustStale, "--json": json };
  const [extra] = Object.entries(given).find(([, value]) => value) ?? [];
  if (extra !== undefined) throw usageFailure(`${extra} is for incremental backups: name a bitmap with --bitmap`);
}

async function convertFile(input: string, out: string, flags: ConvertFlags): Promise<void> {
  const { from, forceShare } = flags;
  const base = baseOf(flags.base, flags.fromBase, "--from-base");
  const source = await openSource(
    { path: input, kind: from, option: "--from", snapshot: flags.snapshot },
    { base, forceShare },
  );
  await closing(source, async () => {
    const target = await openTarget(out, source.kind, source.device.size, flags);
    await filling(target, () => copySource(source.device, target));
  });
}

async function convertStream(out: string, flags: ConvertFlags): Promise<void> {
  if (!flags.create) return overwriteByStream(out, flags);
  const kind = outputKind(out, flags, "raw");
  if (kind !== "raw" && flags.size === undefined) return convertSpooled(out, kind, flags);
  const target = await openTarget(out, "raw", flags.size ?? 0, flags);
  await filling(target, () => copyStream(target, flags));
}

async function overwriteByStream(out: string, flags: ConvertFlags): Promise<void> {
  const target = await existingTarget(out, flags.to);
  await filling(target, () => {
    requireRoom(out, target, flags.size ?? 0);
    return copyStream(target, { ...flags, room: target.size });
  });
}

/** An image's tables need the disk's size, which a stream tells at its end: until then a sparse file holds its bytes. */
async function convertSpooled(out: string, kind: OutputKind, flags: ConvertFlags): Promise<void> {
  if (kind === "bundle") await requireFreeBundle(out, flags.force);
  else requireFree(out, flags.force);
  const spool = Draft.begin(`${out}.spool`, true);
  try {
    const target = await spoolTarget(spool);
    await filling(target, () => copyStream(target, flags));
    await convertFile(spool.path, out, { ...flags, from: "raw", to: kind });
  } finally {
    spool.discard();
  }
}

/** Fills and finishes a target. Whatever fails, nothing is left of it. */
async function filling(target: Target, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await target.abandon().catch(() => {}); // the error before says more
    throw error;
  }
}

async function copySource(source: BlockDevice, target: Target): Promise<void> {
  await withProgress("Converting", source.size, async (progress) => {
    const windows = windowsOf([source], target.grain);
    await copy(windows, ({ offset }, buffer) => source.read(buffer, offset), target, progress);
    await target.finish(source.size);
  });
}

async function copyStream(target: Target, { size, from, room }: ConvertFlags & { room?: number }): Promise<void> {
  const end = { size: 0 };
  const input = standardInput();
  const pieces = streamPieces(input, end, {
    limit: size ?? room,
    limitBy: size === undefined ? "that the output has room for" : "that --size says",
    anything: from === "raw",
  });
  await withProgress("Reading", size ?? 0, (progress) =>
    copy(pieces, readStreamPiece, target, progress, () => input.destroy()),
  );
  if (size !== undefined && end.size < size)
    throw new Failure(`standard input ended after ${counted(end.size, "byte")}, --size says ${size}: was it cut off?`);
  await target.finish(end.size);
}

/** The output for a disk of a kind and a size, which a raw file's may grow beyond. */
async function openTarget(out: string, inputKind: ImageKind, size: number, flags: ConvertFlags): Promise<Target> {
  if (!flags.create) return roomyTarget(out, size, flags.to);
  const kind = outputKind(out, flags, inputKind);
  if (out === STREAM) return streamTarget();
  if (kind === "raw") return rawTarget(out, size, flags.force);
  const { clusterSize, format, split, plain, force } = flags;
  if (kind === "bundle") return bundleTarget(out, { size, clusterSize, format, split, plain }, force);
  return parallelsTarget(out, { size, clusterSize, format }, force);
}

async function roomyTarget(out: string, size: number, to: OutputKind | undefined): Promise<Target> {
  const target = await existingTarget(out, to);
  await filling(target, async () => requireRoom(out, target, size));
  return target;
}

function outputKind(out: string, flags: ConvertFlags, inputKind: ImageKind): OutputKind {
  const { to, clusterSize, format, split, plain } = flags;
  const kind = to ?? (out === STREAM ? "raw" : outputKindByName(out)) ?? (inputKind === "raw" ? "parallels" : "raw");
  if (kind !== "bundle" && (split !== undefined || plain))
    throw usageFailure("--split and --plain are for bundles: name the output NAME.hdd, or add --to bundle");
  if (kind === "raw" && (clusterSize !== undefined || format !== undefined))
    throw usageFailure(
      "the output is raw, which has no clusters and no versions: leave --cluster-size and --format out, or add --to parallels",
    );
  return kind;
}

function requireSensible(input: string, out: string, flags: ConvertFlags): void {
  const { from, to, base, size } = flags;
  if (!flags.create) requireOverwritable(out, flags);
  if (input === STREAM) {
    if (from === "parallels") throw usageFailure("standard input is read as raw bytes: save the image to a file first");
    if (base !== undefined) throw usageFailure("raw bytes from standard input have no base: leave --base out");
    if (flags.snapshot !== undefined) throw usageFailure("raw bytes have no snapshots: leave --snapshot out");
  } else if (size !== undefined) {
    throw usageFailure("--size says what standard input brings: leave it out for files");
  }
  if (out === STREAM) {
    if (to !== undefined && to !== "raw")
      throw usageFailure("standard output takes raw bytes: name a file for an image");
    if (isTerminal("stdout")) throw usageFailure("standard output is a terminal: redirect it to a file or a pipe");
  }
  if (out === STREAM) return;
  requireOther(out, [input, base]);
  requireConvertible(out, to);
}

/** What exists has its own clusters, and is not replaced. */
function requireOverwritable(out: string, { clusterSize, format, split, plain, force }: ConvertFlags): void {
  if (out === STREAM) throw usageFailure("standard output is no disk that exists: leave --no-create out");
  if (force) throw usageFailure("--no-create writes into OUT, --force replaces it: leave one of them out");
  if ((clusterSize ?? format ?? split ?? plain) !== undefined)
    throw usageFailure(
      "with --no-create OUT stays what it is: leave --cluster-size, --format, --split and --plain out",
    );
}
