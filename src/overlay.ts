/**
 * Disks that stand on a base: what they hold goes into it, or they go on over another one.
 *
 * ```js
 * import { openFile } from "parablock/node";
 * import { commitDisk } from "parablock/overlay";
 *
 * const base = await openFile("below.hds");
 * const overlay = await openFile("above.hds", { base });
 * await commitDisk(overlay); // below.hds alone reads now as above.hds did over it
 * ```
 */
import { type OptionNames, requireFlags, requireOptions } from "./caller-options.js";
import { isReadable } from "./device/answers.js";
import type { AnyDevice, BlockDeviceSync } from "./device/block-device.js";
import { Disk } from "./disk.js";
import { DiskSync } from "./disk-sync.js";
import { Face } from "./face.js";
import { type CommitSettings, commit, WINDOW_SIZE } from "./image/commit.js";
import type { Image } from "./image/image.js";
import { deviceBeneath } from "./image/open.js";
import { rebase, rebaseUnsafely } from "./image/rebase.js";
import type { Operation } from "./operation.js";
import { quote } from "./printable.js";
import { WORK_OPTIONS, Work, type WorkOptions } from "./progress.js";
import { runAsync, runSync } from "./run.js";
import type { Storage, StorageSync } from "./storage/storage.js";

export type { WorkOptions } from "./progress.js";

export interface CommitOptions extends WorkOptions {
  /** The overlay keeps what it holds; it may be open for reading only then. Default: false, it is empty afterwards. */
  keep?: boolean | undefined;
}

export interface RebaseOptions extends WorkOptions {
  /**
   * Puts the base beneath and does nothing else: for one whose bytes are those of the old one, as after a conversion or a
   * move. Otherwise the disk reads differently. Default: false.
   */
  unsafe?: boolean | undefined;
}

const COMMIT_OPTIONS: OptionNames<CommitOptions> = { ...WORK_OPTIONS, keep: true };
const REBASE_OPTIONS: OptionNames<RebaseOptions> = { ...WORK_OPTIONS, unsafe: true };

/**
 * Writes what a disk itself holds into its base, which must be open for writing, then empties the disk. Its requests go
 * on; those to what is being committed wait. The base grows to the disk's size where it can. Whatever ends this before, the
 * disk over its base reads as before; the base alone must not be used then.
 * @throws TypeError; DiskError READ_ONLY, UNSUPPORTED for data behind the end of a base that cannot grow, BUSY, ABORTED, IO
 */
export async function commitDisk(overlay: Disk, options: CommitOptions = {}): Promise<void> {
  const image = imageOf(overlay, Disk);
  await runAsync(commit(image, commitSettings(options)), image);
}

/** `commitDisk` for the synchronous face. */
export function commitDiskSync(overlay: DiskSync, options: CommitOptions = {}): void {
  runSync(commit(imageOf(overlay, DiskSync), commitSettings(options)));
}

/**
 * Puts another base beneath a disk, which reads as before: where it holds nothing and the bases differ, it gets the old
 * one's bytes. Without `to` it stands alone. Its requests go on, but for the last moment. Until this resolves it is a disk
 * of the old base; both stay their owner's to close.
 * @throws TypeError; DiskError READ_ONLY, BUSY, ABORTED, NO_SPACE, IO
 */
export async function rebaseDisk(
  overlay: Disk,
  to: AnyDevice | Storage | undefined,
  options: RebaseOptions = {},
): Promise<void> {
  const image = imageOf(overlay, Disk);
  await runAsync(rebasing(overlay, image, to, options), image);
}

/** `rebaseDisk` for the synchronous face: the base, too, answers at once. */
export function rebaseDiskSync(
  overlay: DiskSync,
  to: BlockDeviceSync | StorageSync | undefined,
  options: RebaseOptions = {},
): void {
  runSync(rebasing(overlay, imageOf(overlay, DiskSync), to, options));
}

function imageOf(overlay: Face, face: typeof Disk | typeof DiskSync): Image {
  if (overlay instanceof face) return Face.imageOf(overlay);
  throw new TypeError(
    `overlay: expected an open ${face.name}, got ${quote(overlay)}; the disk of a bundle has snapshots instead`,
  );
}

function commitSettings(options: CommitOptions): CommitSettings {
  requireOptions(options, COMMIT_OPTIONS);
  const { keep = false, ...rest } = options;
  requireFlags({ keep });
  return { keep, work: new Work(rest), windowSize: WINDOW_SIZE };
}

function* rebasing(
  overlay: Face,
  image: Image,
  to: AnyDevice | Storage | undefined,
  options: RebaseOptions,
): Operation<void> {
  requireOptions(options, REBASE_OPTIONS);
  const { unsafe = false, ...rest } = options;
  requireFlags({ unsafe });
  const work = new Work(rest);
  if (to !== undefined && !isReadable(to))
    throw new TypeError(`to: expected an open disk, or a storage with raw bytes, got ${quote(to)}`);
  if ((to as unknown) === overlay || to === image.medium.storage)
    throw new TypeError("to: expected another disk than the overlay itself");
  const device = to && (yield* deviceBeneath(to, image.locks !== undefined));
  yield* unsafe ? rebaseUnsafely(image, device) : rebase(image, device, work);
}
