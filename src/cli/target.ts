/** What `convert` makes: Parallels images, raw files, raw bytes on standard output. What is there already is in existing.ts. */
import { basename, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Bundle, type BundleDisk } from "../bundle.js";
import { type CreateOptions, Disk, type Format, rawDevice, type Storage, writeFully } from "../index.js";
import { FileFolder, FileStorage } from "../node.js";
import { BundleDraft } from "./bundle-draft.js";
import { folderOf } from "./bundles.js";
import { Draft } from "./draft.js";
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

/** A new bundle that is filled. */
export async function bundleTarget(path: string, shape: BundleShape, force?: boolean): Promise<Target> {
  const draft = await BundleDraft.begin(path, force);
  try {
    const bundle = await about(path, () => makeBundle(draft, path, shape, privateStorage));
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
      await privateStorage(await FileStorage.open(draft.path, { private: true })),
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

/** How far a draft grows ahead: growing is slow, as writes wait for it. */
const GROWTH = 256 * 1024 * 1024;

/**
 * A draft is of no use to anybody before it is complete. So its writes need no order: it is made durable once, at its
 * end; and it may be longer than it says until then.
 */
async function privateStorage(file: FileStorage): Promise<Storage> {
  if (file.readOnly) return file;
  let size = await file.size();
  let reached = size;
  return {
    path: file.path,
    read: (buffer, offset) => file.read(buffer, offset),
    write(buffer, offset) {
      size = Math.max(size, offset + buffer.length);
      return file.write(buffer, offset);
    },
    size: () => size,
    async truncate(wanted) {
      if (wanted < size || wanted > reached) {
        reached = wanted < size ? wanted : wanted + GROWTH;
        await file.truncate(reached);
      }
      size = wanted;
    },
    flush() {},
    async close() {
      await file.truncate(size);
      await file.flush();
      await file.close();
    },
  };
}

/** A new raw file of `size` bytes, sparse where zeros are. */
export function rawTarget(path: string, size: number, force?: boolean): Promise<Target> {
  return about(path, async () => {
    const draft = Draft.begin(path, force);
    const file = await FileStorage.open(draft.path, { private: true });
    await (await rawDevice(file)).resize?.(size); // a size that no file may have here is told before anything is copied
    return rawFile(path, draft, file, async () => {
      await file.flush();
      draft.publish();
    });
  });
}

/** A raw file for a while: it stays a draft. */
export async function spoolTarget(draft: Draft): Promise<Target> {
  return rawFile(draft.path, draft, await FileStorage.open(draft.path, { private: true }), async () => {});
}

function rawFile(path: string, draft: Draft, file: FileStorage, complete: () => Promise<void>): Target {
  return {
    grain: RAW_GRAIN,
    write: (bytes, offset) => about(path, () => writeFully(file, bytes, offset)),
    finish: (size) =>
      about(path, async () => {
        await file.truncate(size);
        await complete();
        await file.close();
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
