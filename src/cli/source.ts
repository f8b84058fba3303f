/** What the commands read: Parallels images and raw files behind one interface. Sources are never written. */
import type { BlockDevice, Extent } from "../device/block-device.js";
import { Disk } from "../disk.js";
import { readFully } from "../medium/transfer.js";
import { runAsync } from "../run.js";
import type { FileStorage } from "../storage/file.js";
import { overdueTurn } from "../turn.js";
import { about, Failure, usageFailure } from "./failure.js";
import { type ImageKind, kindOf, requireImage } from "./kind.js";
import { closing, openStorage, orClose } from "./open-files.js";

export interface Source {
  readonly path: string;
  readonly kind: ImageKind;
  /** In bytes. */
  readonly size: number;
  /** The unit in which it is allocated; of a raw file, one that suits it. */
  readonly clusterSize: number;
  /** The open image, of a Parallels source. */
  readonly disk: Disk | undefined;
  read(buffer: Uint8Array, offset: number): Promise<void>;
  /** What lies where in a range, in order, or in the beginning of one that has many extents; at least one. */
  extents(offset: number, length: number): Promise<Extent[]>;
  close(): Promise<void>;
}

/** A file that a command line names. */
export interface Named {
  path: string;
  /** What it is, where its content is not to decide. */
  kind?: ImageKind | undefined;
  /** The option that says so. */
  option: string;
}

export interface SourceOptions {
  /** What lies beneath a Parallels image. */
  base?: Named | undefined;
  /** Reads what others may be writing. */
  forceShare?: boolean | undefined;
}

const RAW_CLUSTER_SIZE = 1024 * 1024;

/** Extents that are asked for at once: one is some hundred bytes of memory. */
const EXTENTS_AT_ONCE = 8192;

/** Opens a file for reading. @throws DiskError with the path in its message; Failure */
export async function openSource(file: Named, { base, forceShare }: SourceOptions = {}): Promise<Source> {
  const { path, option } = file;
  const storage = await about(path, () => openStorage(path, { readOnly: true, share: forceShare ?? false }));
  return orClose(storage, async () => {
    const kind = file.kind ?? (await about(path, () => kindOf(path, storage, option)));
    if (kind === "parallels")
      return openParallels(path, storage, base === undefined ? undefined : await openSource(base, { forceShare }));
    if (base === undefined) return about(path, () => openRaw(path, storage));
    throw new Failure(`${path} is not a Parallels image, so it has no base: leave --base out`);
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

async function openRaw(path: string, storage: FileStorage): Promise<Source> {
  const size = await storage.size();
  return {
    path,
    kind: "raw",
    size,
    clusterSize: RAW_CLUSTER_SIZE,
    disk: undefined,
    read: (buffer, offset) => about(path, () => runAsync(readFully(storage, buffer, offset))),
    extents: async (offset, length) => rawExtents(storage, offset, offset + length),
    close: () => storage.close(),
  };
}

/** Data and holes of a raw file, as many as are asked for at once. */
function rawExtents(storage: FileStorage, offset: number, end: number): Extent[] {
  const extents: Extent[] = [];
  const add = (to: number, kind: Extent["kind"]) => {
    if (to > offset) extents.push({ offset, length: to - offset, kind, layer: 0, fileOffset: offset });
    offset = Math.max(offset, to);
  };
  while (offset < end && extents.length < EXTENTS_AT_ONCE) {
    const data = storage.nextData(offset) ?? { start: end, end };
    add(Math.min(data.start, end), "zero");
    add(Math.min(data.end, end), "data");
  }
  return extents;
}

/** The source owns its base: both are closed together, and if the image cannot be opened. */
async function openParallels(path: string, storage: FileStorage, base: Source | undefined): Promise<Source> {
  const disk = await orClose(base, () =>
    about(path, async () => {
      await requireImage(path, storage);
      return Disk.open(storage, { readOnly: true, ...(base && { base: deviceOf(base) }) });
    }),
  );
  return {
    path,
    kind: "parallels",
    size: disk.size,
    clusterSize: disk.clusterSize,
    disk,
    read: (buffer, offset) => about(path, () => disk.read(buffer, offset)),
    extents: (offset, length) => disk.status(offset, length, EXTENTS_AT_ONCE),
    close: () => (base === undefined ? disk.close() : closing(base, () => disk.close())),
  };
}

const deviceOf = ({ path, size, read, extents }: Source): BlockDevice => ({
  path,
  size,
  read,
  status: (offset = 0, length = size - offset) => extents(offset, length),
});

/** One past the last byte of extents that follow each other. */
function endOf(extents: readonly Extent[]): number {
  const last = extents[extents.length - 1]!;
  return last.offset + last.length;
}

/** All extents of a source, in order, in batches of bounded size; runs are cut between two batches. */
export async function* extentBatches(source: Source): AsyncGenerator<Extent[]> {
  for (let offset = 0; offset < source.size; ) {
    const batch = await source.extents(offset, source.size - offset);
    yield batch;
    offset = endOf(batch);
    await overdueTurn(); // a raw file's extents take no other
  }
}

/** All extents of a source, in order and maximal, in batches of bounded size. */
export async function* allExtents(source: Source): AsyncGenerator<Extent[]> {
  let open: Extent | undefined;
  for await (const batch of extentBatches(source)) {
    const complete: Extent[] = [];
    for (const extent of batch) {
      if (open !== undefined && continues(open, extent)) {
        open = { ...open, length: open.length + extent.length };
      } else {
        if (open !== undefined) complete.push(open);
        open = extent;
      }
    }
    yield complete;
  }
  if (open !== undefined) yield [open];
}

function continues(previous: Extent, extent: Extent): boolean {
  const expected = previous.fileOffset === undefined ? undefined : previous.fileOffset + previous.length;
  return previous.layer === extent.layer && previous.kind === extent.kind && extent.fileOffset === expected;
}
