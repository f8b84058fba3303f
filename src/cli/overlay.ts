/** Disks that `commit` and `rebase` change: an overlay and what it stands on, open at once. */
import { statSync } from "node:fs";
import { type BlockDevice, Disk, rawDevice } from "../index.js";
import { bundleAt } from "./bundle-path.js";
import { warnOfPart } from "./bundles.js";
import { about, Failure, usageFailure } from "./failure.js";
import { kindOf, requireImage } from "./kind.js";
import { naming } from "./naming.js";
import { openStorage, orClose } from "./open-files.js";
import type { Named } from "./source.js";

/** Opens a base to be written. @param base what lies beneath it @throws DiskError; Failure */
export function openBase({ path, kind, option }: Named, base: BlockDevice | undefined): Promise<BlockDevice> {
  return about(path, async () => {
    await requireAlone(path);
    const storage = await openStorage(path);
    return orClose(storage, async () => {
      const found = kind ?? (await kindOf(path, storage, option));
      if (found === "parallels") return naming(path, await Disk.open(storage, { ...(base && { base }) }));
      if (base !== undefined) throw usageFailure(`${path} is raw, so nothing lies beneath it: leave --base-base out`);
      return naming(path, await rawDevice(storage));
    });
  });
}

/** Opens an overlay. @throws DiskError; Failure */
export function openOverlay(path: string, base: BlockDevice | undefined, readOnly: boolean): Promise<Disk> {
  return about(path, async () => {
    await requireAlone(path);
    const storage = await openStorage(path, { readOnly });
    return orClose(storage, async () => {
      await requireImage(path, storage);
      return Disk.open(storage, { readOnly, ...(base && { base }) });
    });
  });
}

/** Images of a bundle stand on what its descriptor says: changing one of them would change others. @throws Failure */
async function requireAlone(path: string): Promise<void> {
  if (bundleAt(path) !== undefined)
    throw new Failure(`${path} is a bundle, whose disk has snapshots: see \`parablock snapshot --help\``);
  await warnOfPart(path);
}

/** No file is two of the disks. @throws Failure */
export function requireDistinct(overlay: string, others: Readonly<Record<string, string | undefined>>): void {
  const fileOf = (path: string) => {
    const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
    return stat && `${stat.dev}/${stat.ino}`;
  };
  const ours = fileOf(overlay);
  for (const [option, path] of Object.entries(others))
    if (path !== undefined && ours !== undefined && fileOf(path) === ours)
      throw usageFailure(`${overlay} cannot stand on itself: ${option} names the same file`);
}
