/** Copies what changed on a disk into an earlier copy of it: the dirty ranges are read, and nothing else. */
import type { BlockDevice, Disk, Extent } from "../index.js";
import { type CopyTarget, copy, type Piece } from "./copy.js";
import { aboutDisk, type DirtySource, dirtyRangesOf } from "./dirty.js";
import { extentBatches } from "./extents.js";
import type { Progress } from "./progress.js";
import { WINDOW_SIZE } from "./windows.js";

/** Zeros are left out in blocks of so many bytes at least: a hole costs a request. */
const GRAIN = 64 * 1024;
/** How much is made zero at once; it may have to be written. */
const ZEROS_AT_ONCE = 64 * 1024 * 1024;

export interface DirtyCopyOptions {
  /** How many bytes of the dirty ranges are done. */
  onProgress?: (done: number) => void;
  /** Ends it between two pieces, with its reason. */
  signal?: AbortSignal;
}

/** Makes the dirty ranges of `out` what they are on `disk`. `out` is not made durable. @throws DiskError; the signal's reason */
export async function copyDirty(
  disk: Disk,
  source: DirtySource,
  out: BlockDevice,
  { onProgress = () => {}, signal }: DirtyCopyOptions = {},
): Promise<void> {
  const patch = new Patch(out, onProgress);
  const read = ({ offset }: Piece, buffer: Uint8Array) => aboutDisk(disk, () => disk.read(buffer, offset));
  await copy(piecesOf(disk, source, patch, signal), read, patch, UNSEEN);
}

/** The patch knows how much is done: not all of it passes through the copier. */
const UNSEEN: Progress = { update() {}, stop() {} };

class Patch implements CopyTarget {
  readonly grain: number;
  readonly #out: BlockDevice;
  readonly #onProgress: (done: number) => void;
  #done = 0;

  constructor(out: BlockDevice, onProgress: (done: number) => void) {
    const unit = out.clusterSize ?? 1;
    this.grain = unit * Math.ceil(GRAIN / unit);
    this.#out = out;
    this.#onProgress = onProgress;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#out.write?.(bytes, offset);
    this.#pass(bytes.length);
  }

  async zero(offset: number, length: number): Promise<void> {
    await this.#out.writeZeroes?.(offset, length);
    this.#pass(length);
  }

  #pass(length: number): void {
    this.#done += length;
    this.#onProgress(this.#done);
  }
}

/** What of the dirty ranges has to be read, in pieces; the rest is made zero on the way. */
async function* piecesOf(
  disk: Disk,
  source: DirtySource,
  patch: Patch,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece> {
  const most = patch.grain > WINDOW_SIZE ? WINDOW_SIZE : WINDOW_SIZE - (WINDOW_SIZE % patch.grain);
  for await (const { kind, ...run } of dirtyExtentsOf(disk, source)) {
    for (const piece of cut(run, kind === "data" ? most : ZEROS_AT_ONCE)) {
      signal?.throwIfAborted();
      if (kind === "data") yield piece;
      else await patch.zero(piece.offset, piece.length);
    }
  }
}

async function* dirtyExtentsOf(disk: Disk, source: DirtySource): AsyncGenerator<Extent> {
  for await (const { offset, length } of dirtyRangesOf(disk, source))
    for await (const batch of extentBatches(disk, { start: offset, end: offset + length })) yield* batch;
}

/** A run in pieces that end at multiples of `most`. */
function* cut({ offset, length }: Piece, most: number): Generator<Piece> {
  const end = offset + length;
  while (offset < end) {
    const next = Math.min(end, (Math.floor(offset / most) + 1) * most);
    yield { offset, length: next - offset };
    offset = next;
  }
}
