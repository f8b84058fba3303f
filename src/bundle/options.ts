/** The options of bundles, their defaults, and what is checked of them before anything is touched. */
import { type OptionNames, requireFlags, requireOptions } from "../caller-options.js";
import type { EngineKind } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import type { Format } from "../format/header.js";
import { requireCreatable } from "../image/create.js";
import type { PreallocationOption } from "../medium/preallocation.js";
import { DEFAULT_CLUSTER_SIZE, requireValues } from "../options.js";
import { requireFolder } from "../storage/answers.js";
import type { Folder } from "../storage/folder.js";
import { type Guid, requireGuid } from "./guid.js";
import { type NewBundle, usualFormat } from "./new-descriptor.js";
import type { Face } from "./segment.js";
import type { BundleSettings, State } from "./state.js";

export interface BundleOptions {
  /** Which engine holds the tables, as for `Disk.open`. */
  engine?: EngineKind | undefined;
  /** How the files of written images grow, as for `Disk.open`. */
  prealloc?: PreallocationOption | undefined;
  /** Let image files lie anywhere, under absolute paths. Default: false, as a descriptor may come from anybody. */
  allowAbsolute?: boolean | undefined;
}

export interface CreateBundleOptions extends BundleOptions {
  /** The disk's size in bytes: a multiple of 512. */
  size: number;
  /** In bytes, a multiple of 512. Default: 1 MiB. */
  clusterSize?: number | undefined;
  /** Of the images. Default: "v1", as Parallels Desktop writes it; "v2" for disks of more than 1 TiB. */
  format?: Format | undefined;
  /** Cuts the disk into parts of so many bytes, of whole clusters; true: as Parallels Desktop does, below 2 GiB each. Default: one part. */
  split?: number | boolean | undefined;
  /** Raw images, not expandable ones. Default: false. */
  plain?: boolean | undefined;
  /** The disk's name. Default: the folder's, without ".hdd", else "disk". */
  name?: string | undefined;
}

export interface OpenDiskOptions {
  /** The GUID of the snapshot to read. Default: the top, where the guest writes. */
  snapshot?: string | undefined;
  /** Default: false for the top, where the folder can be written; true for every other snapshot. */
  readOnly?: boolean | undefined;
}

const BUNDLE_OPTIONS: OptionNames<BundleOptions> = { engine: true, prealloc: true, allowAbsolute: true };
const CREATE_OPTIONS: OptionNames<CreateBundleOptions> = {
  ...BUNDLE_OPTIONS,
  size: true,
  clusterSize: true,
  format: true,
  split: true,
  plain: true,
  name: true,
};

/** @throws TypeError, RangeError */
export function bundleSettings(folder: Folder, options: BundleOptions, face: Face): BundleSettings {
  requireFolder(folder);
  requireOptions(options, BUNDLE_OPTIONS);
  return valuesOf(options, face);
}

function valuesOf({ engine, prealloc, allowAbsolute }: BundleOptions, face: Face): BundleSettings {
  requireFlags({ allowAbsolute });
  requireValues({
    ...(engine === undefined ? {} : { engine }),
    ...(prealloc === undefined ? {} : { prealloc }),
  } as object);
  return { face, engine, prealloc };
}

/** @throws TypeError, RangeError; DiskError READ_ONLY */
export function createBundleSettings(
  folder: Folder,
  options: CreateBundleOptions,
  face: Face,
): { settings: BundleSettings; bundle: NewBundle & { format: Format } } {
  requireFolder(folder);
  requireOptions(options, CREATE_OPTIONS);
  const { size, clusterSize = DEFAULT_CLUSTER_SIZE, split, plain, name = nameOf(folder) } = options;
  const { format = usualFormat(size), ...opening } = options;
  requireFlags({ plain });
  requireCreatable({ size, clusterSize, format });
  if (folder.readOnly) throw new DiskError("READ_ONLY", "the folder cannot be written: no disk can be made in it");
  return { settings: valuesOf(opening, face), bundle: { size, clusterSize, format, split, plain, name } };
}

function nameOf({ path }: Folder): string {
  const name = path?.split(/[/\\]/).findLast((part) => part !== "") ?? "";
  return name.replace(/\.hdd$/i, "") || "disk";
}

/** What to open, and how. @throws TypeError, RangeError; DiskError NOT_FOUND */
export function openDiskSettings(
  { descriptor, folder }: State,
  options: OpenDiskOptions,
): { guid: Guid; readOnly: boolean } {
  requireOptions<OpenDiskOptions>(options, { snapshot: true, readOnly: true });
  const { snapshot, readOnly } = options;
  requireFlags({ readOnly });
  const guid = snapshot === undefined ? descriptor.topGuid : requireGuid(snapshot, "snapshot");
  descriptor.graph.parentOf(guid); // says that there is no such snapshot
  return { guid, readOnly: readOnly ?? (guid !== descriptor.topGuid || folder.readOnly === true) };
}
