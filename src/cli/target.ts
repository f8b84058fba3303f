/** What `convert` makes: Parallels images, raw files, raw bytes on standard output. What is there already is in existing.ts. */
import { basename, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Bundle, type BundleDisk } from "../bundle.js";
import { type CreateOptions, Disk, type Format, rawDevice, type Storage, writeFully } from "../index.js";
import { FileFolder, FileStorage } from "../node.js";
import { BundleDraft } from "./bundle-draft.js";
import { folderOf } from "./bundles.js";
import { Draft } from "./draft.js";
import { DraftFile } from "./draft-file.js";
import { about } from "./failure.js";
import { print, requireOutput } from "./print.js";
import type { Progress } from "./progress.js";
import { wholeSectors } from "./size.js";

/** Takes guest bytes in the order of their offsets; what is never written reads as zeros. */
export interface Target {
  /** Zeros are left out in blocks of so many bytes. */
  readonly grain: number;
  /** The buffer must not change before this resolves. Further writes may be made meanwhile. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Shows what it writes beside what it is given, where that may take long. */
  watch?(progress: Progress): void;
  /** Completes the output, of `size` bytes. */
  finish(size: number): Promise<void>;
  /** Gives the output up. */
  abandon(): Promise<void>;
}

/** Blocks of a raw file's own file system; a hole is never smaller. */
export const RAW_GRAIN = 4096;

export interface ImageShape {
  size: number;
  clusterSize?: number | undefined;
  format?: Format | undefined;
}

/** How a bundle is cut, and what its images are. */
export interface BundleShape extends ImageShape {
  split?: number | undefined;
  plain?: boolean | undefined;
}

/** A new bundle, with one empty image for each part. */
export async function makeBundle(
  draft: BundleDraft,
  path: string,
  { size, ...shape }: BundleShape,
  wrap: (file: FileStorage) => Storage | Promise<Storage>,
): Promise<Bundle> {
  const folder = await FileFolder.open(draft.path);
  const within = folderOf(
    folder,
    async (name, options) => wrap(await folder.open(name, options)),
    async (name) => wrap(await folder.create(name)),
  );
  const name = basename(resolve(path)).replace(/\.hdd$/i, "");
  return Bundle.create(within, { ...shape, name, size: wholeSectors(size) });
}

/** The files of a bundle that is filled. */
const draftFile = async (file: FileStorage): Promise<Storage> => (file.readOnly ? file : DraftFile.over(file));

/** A new bundle that is filled. */
export async function bundleTarget(path: string, shape: BundleShape, force?: boolean): Promise<Target> {
  const draft = await BundleDraft.begin(path, force);
  try {
    const bundle = await about(path, () => makeBundle(draft, path, shape, draftFile));
    const disk = await bundle.openDisk();
    const grain = shape.plain ? RAW_GRAIN : disk.clusterSize;
    return diskTarget(path, draft, disk, grain, () => bundle.close());
  } catch (error) {
    draft.discard();
    throw error;
  }
}

/** A new Parallels image; a size that is no whole number of sectors is rounded up. */
export function parallelsTarget(path: string, shape: ImageShape, force?: boolean): Promise<Target> {
  return about(path, async () => {
    const draft = Draft.begin(path, force);
    const disk = await Disk.create(
      await DraftFile.over(await FileStorage.open(draft.path, { private: true })),
      createOptions(shape),
    );
    return diskTarget(path, draft, disk, disk.clusterSize, () => disk.close());
  });
}

/** A disk in a draft, which gets its name when all is in it. */
function diskTarget(
  path: string,
  draft: Draft | BundleDraft,
  disk: Disk | BundleDisk,
  grain: number,
  close: () => Promise<void>,
): Target {
  return {
    grain,
    write: (bytes, offset) => about(path, () => disk.write(bytes, offset)),
    finish: () =>
      about(path, async () => {
        await close();
        await draft.publish();
      }),
    abandon: async () => {
      draft.discard();
      await disk.abandon();
    },
  };
}

function createOptions({ size, clusterSize, format }: ImageShape): CreateOptions {
  return {
    size: wholeSectors(size),
    ...(clusterSize === undefined ? {} : { clusterSize }),
    ...(format === undefined ? {} : { format }),
  };
}

/** A new raw file of `size` bytes, sparse where zeros are. */
export function rawTarget(path: string, size: number, force?: boolean): Promise<Target> {
  return about(path, async () => {
    const draft = Draft.begin(path, force);
    const file = await FileStorage.open(draft.path, { private: true });
    await (await rawDevice(file)).resize?.(size); // a size that no file may have here is told before anything is copied
    return rawFile(path, draft, file, await DraftFile.over(file), () => draft.publish());
  });
}

/** A raw file for a while: it stays a draft. */
export async function spoolTarget(draft: Draft): Promise<Target> {
  const file = await FileStorage.open(draft.path, { private: true });
  return rawFile(draft.path, draft, file, file, () => {});
}

/** @param storage the file as it is to be written @param complete once it is closed */
function rawFile(path: string, draft: Draft, file: FileStorage, storage: Storage, complete: () => void): Target {
  return {
    grain: RAW_GRAIN,
    write: (bytes, offset) => about(path, () => writeFully(storage, bytes, offset)),
    finish: (size) =>
      about(path, async () => {
        await storage.truncate(size);
        await storage.close();
        complete();
      }),
    abandon: async () => {
      draft.discard();
      await file.close();
    },
  };
}

/** Raw bytes on standard output; zeros are written, too. */
export function streamTarget(): Target {
  requireOutput();
  const zeros = new Uint8Array(256 * 1024);
  let position = 0;
  let last = Promise.resolve();
  let progress: Progress | undefined;
  const fill = async (end: number) => {
    while (position < end) {
      await emit(zeros.subarray(0, Math.min(zeros.length, end - position)));
      progress?.update(position);
      await setImmediate(); // a file or a pipe takes bytes at once
    }
  };
  const emit = (bytes: Uint8Array) => {
    position += bytes.length;
    return print(bytes);
  };
  return {
    grain: zeros.length,
    watch(shown) {
      progress = shown;
    },
    write(bytes, offset) {
      last = last.then(() => fill(offset)).then(() => emit(bytes));
      return last;
    },
    finish: (size) => last.then(() => fill(size)),
    async abandon() {},
  };
}
