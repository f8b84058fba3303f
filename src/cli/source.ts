/** What the commands read: a file that is open as a block device, and what it is. Sources are never written. */
import type { Bundle } from "../bundle.js";
import { type BlockDevice, Disk, rawDevice, type Storage } from "../index.js";
import { bundleAt, isPart, requireNoSnapshot } from "./bundle-path.js";
import { about, Failure, usageFailure } from "./failure.js";
import { type ImageKind, kindOf, requireImage } from "./kind.js";
import { closing, openStorage, orClose } from "./open-files.js";

export interface Source {
  readonly path: string;
  readonly kind: ImageKind;
  /** Its errors name the file. Closing it closes what lies beneath it, too. */
  readonly device: BlockDevice;
  /** The open image, of a Parallels source that is one file. */
  readonly disk?: Disk;
  /** The open bundle, and the snapshot that the device shows. */
  readonly bundle?: Bundle;
  readonly snapshot?: string;
  close(): Promise<void>;
}

/** A file that a command line names. */
export interface Named {
  path: string;
  /** What it is, where its content is not to decide. */
  kind?: ImageKind | undefined;
  /** The option that says so. */
  option: string;
  /** Which snapshot of a bundle. */
  snapshot?: string | undefined;
}

export interface SourceOptions {
  /** What lies beneath a Parallels image. */
  base?: Named | undefined;
  /** Reads what others may be writing. */
  forceShare?: boolean | undefined;
}

/** Opens a file for reading. @throws DiskError with the path in its message; Failure */
export async function openSource(file: Named, { base, forceShare }: SourceOptions = {}): Promise<Source> {
  const { path, option } = file;
  const folder = file.kind === "raw" ? undefined : bundleAt(path);
  if (folder !== undefined) {
    if (base !== undefined) throw new Failure(`${path} is a bundle, which has all that it stands on: leave --base out`);
    return openBundleSource(folder, file.snapshot, forceShare);
  }
  requireNoSnapshot(path, file.snapshot);
  const storage = await about(path, () => openStorage(path, { readOnly: true, share: forceShare ?? false }));
  return orClose(storage, async () => {
    const kind = file.kind ?? (await about(path, () => kindOf(path, storage, option)));
    if (kind === "parallels" && isPart(path)) await (await import("./bundles.js")).warnOfPart(path);
    if (kind === "parallels")
      return openParallels(path, storage, base === undefined ? undefined : await openSource(base, { forceShare }));
    if (base !== undefined) throw new Failure(`${path} is not a Parallels image, so it has no base: leave --base out`);
    return sourceOf(path, kind, await about(path, () => rawDevice(storage)));
  });
}

function openBundleSource(
  folder: string,
  snapshot: string | undefined,
  forceShare: boolean | undefined,
): Promise<Source> {
  return about(folder, async () => {
    const { openBundle } = await import("./bundles.js");
    const bundle = await openBundle(folder, { forceShare });
    const disk = await orClose(bundle, () => bundle.openDisk({ snapshot, readOnly: true }));
    const source = sourceOf(folder, "parallels", disk, () => bundle.close());
    return { ...source, bundle, snapshot: disk.snapshot };
  });
}

/** What lies beneath an image by options: `--base FILE`, and what that is. @throws Failure for a kind of no base */
export function baseOf(path: string | undefined, kind: ImageKind | undefined, option: string): Named | undefined {
  if (path !== undefined) return { path, kind, option };
  if (kind === undefined) return undefined;
  throw usageFailure(
    `${option} says what the base is: name one with ${option.replace("--from-", "--")}, or leave it out`,
  );
}

/** The source owns its base: both are closed together, and if the image cannot be opened. */
async function openParallels(path: string, storage: Storage, base: Source | undefined): Promise<Source> {
  const disk = await orClose(base, () =>
    about(path, async () => {
      await requireImage(path, storage);
      return Disk.open(storage, { readOnly: true, ...(base && { base: base.device }) });
    }),
  );
  const close = () => (base === undefined ? disk.close() : closing(base, () => disk.close()));
  return { ...sourceOf(path, "parallels", disk, close), disk };
}

function sourceOf(path: string, kind: ImageKind, device: BlockDevice, close = async () => device.close?.()): Source {
  const reader: BlockDevice = {
    path,
    size: device.size,
    ...(device.clusterSize === undefined ? {} : { clusterSize: device.clusterSize }),
    readOnly: true,
    read: (buffer, offset) => about(path, () => device.read(buffer, offset)),
    close,
  };
  const { status } = device;
  if (status) reader.status = (...range) => about(path, () => status.apply(device, range));
  return { path, kind, device: reader, close };
}
