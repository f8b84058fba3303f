/**
 * Bundles by their paths. The one place that decides what a path is: a bundle, by whichever of its names - its folder,
 * its `DiskDescriptor.xml`, the empty `NAME.hdd` that file choosers show -, or a file.
 */
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "./failure.js";

const DESCRIPTOR = "DiskDescriptor.xml";

/** The folder of the bundle that a path names, or undefined where it names a file, or nothing. */
export function bundleAt(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return /\.hdd[/\\]*$/i.test(path) || hasDescriptor(path) ? path : undefined;
  if (!stat?.isFile()) return undefined;
  const names = basename(path) === DESCRIPTOR || (stat.size === 0 && /\.hdd$/i.test(path));
  return names && hasDescriptor(dirname(path)) ? dirname(path) : undefined;
}

/** Whether a folder has what makes it a bundle. */
export const hasDescriptor = (folder: string) =>
  statSync(join(folder, DESCRIPTOR), { throwIfNoEntry: false }) !== undefined;

/** Whether a file is named like an image, and lies in a bundle. */
export const isPart = (path: string): boolean => /\.hds$/i.test(path) && hasDescriptor(dirname(path));

/** For what is no bundle. @throws Failure where a snapshot was asked for */
export function requireNoSnapshot(path: string, snapshot: string | undefined): void {
  if (snapshot === undefined) return;
  throw new Failure(`${path} is not a bundle, so it has no snapshots: leave --snapshot out`);
}
