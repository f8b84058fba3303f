/** Bundles on the command line, opened. What takes no bundle looks at their paths only (bundle-path.ts), which loads less. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Bundle, type BundleOptions, type Folder, type FolderOpenOptions } from "../bundle.js";
import type { Storage } from "../index.js";
import { FileFolder } from "../node.js";
import { printable } from "../printable.js";
import { bundleAt, hasDescriptor, isPart } from "./bundle-path.js";
import { about, Failure } from "./failure.js";
import { closing, keepTrack } from "./open-files.js";
import { errorOutput } from "./print.js";

export interface BundleFlags {
  /** Reads what others may be writing. */
  forceShare?: boolean | undefined;
}

/** Opens a bundle. @throws DiskError with the folder in its message */
export function openBundle(folder: string, { forceShare }: BundleFlags = {}, options?: BundleOptions): Promise<Bundle> {
  return about(folder, async () => Bundle.open(tracked(await FileFolder.open(folder), forceShare), options));
}

/** Opens a bundle, does something with it, and closes it; what goes wrong names the folder. */
export function withBundle<T>(folder: string, flags: BundleFlags, work: (bundle: Bundle) => Promise<T>): Promise<T> {
  return about(folder, async () => closing(await openBundle(folder, flags), work));
}

/** A folder whose files are closed, and their locks given up, whatever ends the process. */
function tracked(folder: FileFolder, share = false): Folder {
  const open = async (name: string, options: FolderOpenOptions = {}) =>
    keepTrack(await folder.open(name, share ? { readOnly: true, share } : options));
  return folderOf(folder, open, async (name) => keepTrack(await folder.create(name)));
}

/** A folder that opens and makes its files in another way. */
export function folderOf(
  folder: Folder,
  open: (name: string, options?: FolderOpenOptions) => Promise<Storage>,
  create: (name: string) => Promise<Storage>,
): Folder {
  return {
    ...(folder.path === undefined ? {} : { path: folder.path }),
    readOnly: folder.readOnly ?? false,
    list: () => folder.list(),
    open,
    create,
    rename: (from, to) => folder.rename(from, to),
    remove: (name) => folder.remove(name),
    sync: () => folder.sync(),
  };
}

/** Says so where a file is only a part of what a bundle holds: it alone is not the disk. */
export async function warnOfPart(path: string): Promise<void> {
  const folder = dirname(path);
  if (!isPart(path)) return;
  const count = await openBundle(folder).then(
    ({ parts }) => parts.reduce((sum, { images }) => sum + images.length, 0),
    () => 0,
  );
  if (count > 1)
    errorOutput().write(
      `parablock: warning: ${printable(path)} is one of the ${count} images of a bundle: name the folder, ${printable(folder)}, to have the disk\n`,
    );
}

/**
 * The image that a command means which works on one: a file, or a bundle's only one.
 * @param many what is said of a bundle of several
 * @param alone refuses an image that is one of several, too
 * @throws Failure
 */
export async function soleImage(path: string, many: string, alone = false): Promise<string> {
  const isFile = bundleAt(path) === undefined;
  if (isFile && !(alone && isPart(path))) return path;
  const folder = bundleAt(path) ?? dirname(path);
  const images = await closing(await openBundle(folder), ({ parts }) => parts.flatMap(({ images }) => images));
  if (images.length === 1) return isFile ? path : join(folder, images[0].file);
  throw new Failure(`${folder} is a bundle of ${images.length} images, ${many}`);
}

/** The folder of the bundle of which a file is an image, if it is one. */
export async function bundleAround(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  if (!hasDescriptor(folder)) return undefined;
  const { parts } = await openBundle(folder);
  return parts.some(({ images }) => images.some(({ file }) => basename(file) === basename(path))) ? folder : undefined;
}

/** What a bundle takes on this machine's disks, in bytes. */
export function diskUsage(folder: string): number {
  const STAT_BLOCK_SIZE = 512;
  return readdirSync(folder)
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
    .reduce((sum, stat) => sum + (stat?.isFile() ? stat.blocks * STAT_BLOCK_SIZE : 0), 0);
}
