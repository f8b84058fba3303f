/**
 * Undoing a repair: the BAT entries that it dropped come back from its backup, as long as they still lead nowhere and
 * nothing was written to their clusters since. Entries that got copies keep them: they read the same either way.
 */
import { takeBuffer } from "../buffers.js";
import { DiskError } from "../errors.js";
import { decodeHeader, HEADER_SIZE, IN_USE } from "../format/header.js";
import type { Storage } from "../storage/storage.js";
import type { Image } from "./image.js";
import { changeHeader } from "./mark.js";
import { load, owning } from "./open.js";
import type { Operation } from "./operation.js";
import { closeStorage, flushStorage, writeFully } from "./transfer.js";

/** Puts dropped entries back into the image and closes it, marked as not closed cleanly; answers how many. */
export function* undoRepair(storage: Storage, backup: Uint8Array): Operation<number> {
  const saved = new Uint8Array(takeBuffer(backup)); // it stays the caller's
  const count = yield* owning(storage, function* () {
    const image = yield* load(storage, SETTINGS);
    const restored = restoreEntries(image, readBackup(image, saved));
    if (restored > 0) yield* writeBat(image);
    return restored;
  });
  yield* closeStorage(storage);
  return count;
}

const SETTINGS = {
  readOnly: false,
  engine: undefined,
  base: undefined,
  repair: "none",
  preallocation: { mode: "off", size: 0 },
  concurrent: false,
} as const;

/** The BAT in a backup, if it is one of this image. */
function readBackup(image: Image, backup: Uint8Array): DataView {
  const header = decodeHeader(backup);
  const { format, tracks, sectorCount } = image.header;
  const fits = header.format === format && header.tracks === tracks && header.sectorCount === sectorCount;
  if (!fits || backup.length !== HEADER_SIZE + 4 * header.batEntries) {
    throw new DiskError("UNSUPPORTED", "the backup does not belong to this image: its format, size or BAT differs");
  }
  return new DataView(backup.buffer, backup.byteOffset + HEADER_SIZE, backup.length - HEADER_SIZE);
}

function restoreEntries({ engine, grid }: Image, saved: DataView): number {
  let restored = 0;
  const { bat } = engine;
  for (let cluster = 0; cluster < Math.min(bat.length, saved.byteLength / 4); cluster++) {
    const entry = saved.getUint32(4 * cluster, true);
    const leadsNowhere = entry !== 0 && (entry < grid.origin || entry > grid.lastEntry);
    if (!leadsNowhere || bat[cluster] !== 0) continue;
    bat[cluster] = entry;
    restored++;
  }
  return restored;
}

function* writeBat(image: Image): Operation<void> {
  yield* changeHeader(image, { inUse: IN_USE.open });
  yield* writeFully(image.storage, image.engine.batBytes.slice(), HEADER_SIZE);
  yield* flushStorage(image.storage);
}
