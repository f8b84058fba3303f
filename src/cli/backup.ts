/** `parablock convert --bitmap`: an earlier copy of a disk is brought up to date with what changed since. */
import { existsSync } from "node:fs";
import { counted } from "../count.js";
import { reasonOf } from "../errors.js";
import type { BlockDevice, Disk } from "../index.js";
import { printable } from "../printable.js";
import { soleImage } from "./bundles.js";
import { copyDirty } from "./copy-dirty.js";
import { aboutDisk, type DirtyAmount, type DirtySource, dirtyAmountOf } from "./dirty.js";
import { requireOther } from "./draft.js";
import { openExisting } from "./existing.js";
import { about, EXIT_FAILURE, Failure, usageFailure } from "./failure.js";
import { openImage } from "./image.js";
import type { ImageKind, OutputKind } from "./kind.js";
import { closing } from "./open-files.js";
import { print, printJson, requireOutput } from "./print.js";
import { withProgress } from "./progress.js";
import { formatExactSize, formatShare, formatSize } from "./size.js";
import { baseOf, openSource } from "./source.js";

export interface BackupFlags {
  bitmap: string;
  trustStale?: boolean;
  clear?: boolean;
  json?: boolean;
  from?: ImageKind;
  /** What OUT is. */
  to?: OutputKind;
  base?: string;
  fromBase?: ImageKind;
  forceShare?: boolean;
}

interface Backup extends DirtyAmount {
  /** In bytes, of the disk. */
  size: number;
  /** That of OUT before. */
  previousSize: number;
}

/** Options of `convert` that make no sense with --bitmap. */
const NOT_HERE = ["snapshot", "split", "plain", "clusterSize", "format", "size", "force"];

const MANY_IMAGES =
  "each with bitmaps of its own: convert the whole bundle, or name one image and, with --base, what it stands on";

export async function backup(input: string, out: string, flags: BackupFlags): Promise<void> {
  requireSensible(input, out, flags);
  requireOutput();
  const below = baseOf(flags.base, flags.fromBase, "--from-base");
  const image = await soleImage(input, MANY_IMAGES, below === undefined);
  requireOther(out, [image, flags.base]);
  if (!existsSync(out)) throw noCopy(image, out);
  const made =
    below === undefined
      ? await backupImage(image, undefined, out, flags)
      : await closing(await openSource(below), ({ device }) => backupImage(image, device, out, flags));
  const cleared = flags.clear ?? false;
  if (flags.json) await printJson({ filename: image, output: out, bitmap: flags.bitmap, ...made, cleared });
  else await print(describe(out, made, cleared));
}

/** @throws Failure */
function requireSensible(input: string, out: string, flags: BackupFlags): void {
  if (input === "-" || out === "-") throw usageFailure("--bitmap is for files: standard input and output have no past");
  if (flags.from === "raw") throw usageFailure("raw disks have no bitmaps: leave --from raw out, or --bitmap");
  const [extra] = Object.keys(flags).filter((name) => NOT_HERE.includes(name));
  if (extra !== undefined)
    throw usageFailure(
      `--bitmap writes into OUT, an earlier copy that stays what it is: leave --${extra.replace("S", "-s")} out`,
    );
  if (flags.forceShare && flags.clear)
    throw usageFailure("--force-share is for looking only: leave it out to clear the bitmap");
}

const noCopy = (image: string, out: string): Failure =>
  new Failure(
    `${out} does not exist, and --bitmap only brings up to date what is there: begin the bitmap anew (\`parablock bitmap clear ${image} UUID\`), then make a whole copy (\`parablock convert ${image} ${out}\`)`,
  );

/** The lock of the image is held from before its bitmap is read until after that is cleared. */
function backupImage(
  image: string,
  base: BlockDevice | undefined,
  out: string,
  { bitmap: id, trustStale, clear = false, to, forceShare }: BackupFlags,
): Promise<Backup> {
  return closingImage(image, { readOnly: !clear, share: forceShare, base }, async (disk) => {
    const source = { id, trustStale };
    const amount = await dirtyAmountOf(disk, source);
    const device = await openExisting(out, to);
    const previousSize = await closing({ close: async () => device.close?.() }, async () => {
      await requireCopy(disk, source, device, out);
      const { size } = device;
      await bringUp(disk, source, device, { out, bytes: amount.dirtyBytes });
      return size;
    });
    // Not before the copy is durable, and closed.
    if (clear && !isCurrent(disk, id, amount.dirtyBytes)) await aboutDisk(disk, () => disk.clearBitmap(id));
    return { ...amount, size: disk.size, previousSize };
  });
}

/** Whether there is nothing to clear. */
const isCurrent = ({ bitmaps }: Disk, id: string, dirtyBytes: number): boolean =>
  dirtyBytes === 0 && bitmaps.some((bitmap) => bitmap.id === id && !bitmap.stale);

async function closingImage<T>(
  image: string,
  options: Parameters<typeof openImage>[1],
  work: (disk: Disk) => Promise<T>,
): Promise<T> {
  const disk = await openImage(image, options);
  return closing({ close: () => about(image, () => disk.close()) }, () => work(disk));
}

/** Whether OUT can be what the disk was when the bitmap began. @throws Failure */
async function requireCopy(
  disk: Disk,
  { id, trustStale }: DirtySource,
  device: BlockDevice,
  out: string,
): Promise<void> {
  const { size } = disk;
  const sizes = `${out} has ${formatExactSize(device.size)}, the disk ${formatExactSize(size)}`;
  if (device.size > size)
    throw new Failure(
      `${sizes}: it is no earlier copy of it; if the disk was made smaller since, do the same to the copy (\`parablock resize --shrink ${out} ${size}\`)`,
    );
  if (device.size === size) return;
  const offset = device.size;
  const [grown] = await disk.dirtyRanges(id, { offset, limit: 1, trustStale: trustStale ?? false });
  if (grown?.offset !== offset || grown.length !== size - offset)
    throw new Failure(
      `${sizes}, and did so when the bitmap began: it is no copy of that time; make a whole one, and clear the bitmap`,
    );
  if (device.resize === undefined)
    throw new Failure(`${sizes}, and ${out} cannot grow: clear the bitmap, then make a whole copy`);
}

/** Makes the copy as large as the disk, brings it up to date, and makes that durable. Ctrl-C ends it between two pieces. */
async function bringUp(
  disk: Disk,
  source: DirtySource,
  device: BlockDevice,
  { out, bytes }: { out: string; bytes: number },
): Promise<void> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Error("interrupted"));
  process.once("SIGINT", onInterrupt);
  try {
    if (device.size < disk.size) await device.resize?.(disk.size);
    await withProgress("Copying", bytes, (progress) =>
      copyDirty(disk, source, device, { signal: stop.signal, onProgress: (done) => progress.update(done) }),
    );
    await device.flush?.();
    stop.signal.throwIfAborted(); // it came too late to stop the copy, but not the clearing
  } catch (error) {
    throw new Failure(
      `${reasonOf(error)}; ${out} may be a half-done copy now, and the bitmap is as it was: run this again`,
      EXIT_FAILURE,
      error,
    );
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

function describe(out: string, { dirtyRanges, dirtyBytes, size, previousSize }: Backup, cleared: boolean): string {
  const name = printable(out);
  const grown = previousSize === size ? "" : `${name} grew from ${formatSize(previousSize)} to ${formatSize(size)}\n`;
  const rest = cleared ? "; the bitmap begins anew" : "";
  if (dirtyBytes === 0) return `${grown}Nothing changed: ${name} is up to date${rest}\n`;
  const amount = `${formatSize(dirtyBytes)} in ${counted(dirtyRanges, "range")} (${formatShare(dirtyBytes, size)} of the disk)`;
  return `${grown}${amount} copied to ${name}${rest}\n`;
}
