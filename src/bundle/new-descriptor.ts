/** The descriptor of a new bundle, as Parallels Desktop writes and imports it: one empty image for each storage. */
import { geometryOf } from "../format/geometry.js";
import { type Format, SECTOR_SIZE } from "../format/header.js";
import { requireSectors } from "../image/create.js";
import { quote } from "../printable.js";
import { type Descriptor, parseDescriptor } from "./descriptor.js";
import { imageName } from "./file-names.js";
import { DEFAULT_TOP, NO_GUID, randomGuid } from "./guid.js";
import { escapeText } from "./xml.js";

/** Where Parallels Desktop cuts a split disk, in bytes: some 1.9 GiB, so that no part reaches 2 GiB. */
export const SPLIT_SIZE = 3_989_504 * SECTOR_SIZE;
/** More storages than anybody's disk has, and few enough that a descriptor stays small. */
const MAX_STORAGES = 4096;

/** What a new disk is to be. */
export interface NewBundle {
  /** The disk's name, with which those of its files begin: a plain name without ".hdd". */
  name: string;
  /** The disk's size in bytes: a multiple of 512. */
  size: number;
  /** In bytes: a multiple of 512, at most 2 GiB. */
  clusterSize: number;
  /** Cut the disk into storages of this many bytes, rounded down to whole clusters; true: {@link SPLIT_SIZE}. Default: one storage. */
  split?: number | boolean | undefined;
  /** Raw images, which take all their space at once, instead of expandable ones. Default: false. */
  plain?: boolean | undefined;
}

/** The format that Parallels Desktop writes; for disks near the end of what its sectors can be counted in, the other one. */
export const usualFormat = (size: number): Format => (size > 2 ** 40 ? "v2" : "v1");

/** The descriptor of a new disk. @throws RangeError */
export function newDescriptor(bundle: NewBundle): Descriptor {
  requireSizes(bundle);
  requireName(bundle.name);
  return parseDescriptor(`<?xml version='1.0' encoding='UTF-8'?>
<Parallels_disk_image Version="1.0">
${parametersOf(bundle)}
    <StorageData>
${storagesOf(bundle).join("\n")}
    </StorageData>
    <Snapshots>
        <Shot>
            <GUID>${DEFAULT_TOP}</GUID>
            <ParentGUID>${NO_GUID}</ParentGUID>
        </Shot>
    </Snapshots>
</Parallels_disk_image>
`);
}

/** Counters of Parallels Desktop's own check of the disk: nothing was found yet. */
const COUNTERS = ["DupBlocksCnt", "CorruptBlocksCnt", "UnrefBlocksCnt", "OutOfDiskBlocksCnt", "BatOverlapBlocksCnt"];
const MORE_COUNTERS = ["BlocksCnt", "TruncatedBlocksCnt", "ReferencedBlocksCnt", "Bootable", "ShutdownState"];

function parametersOf({ name, size }: NewBundle): string {
  const { cylinders, heads, sectors } = geometryOf(size / SECTOR_SIZE);
  const zeros = ["SuspendState", "ChangeState", ...COUNTERS, ...MORE_COUNTERS].map(
    (counter) => `            <${counter}>0</${counter}>`,
  );
  return `    <Disk_Parameters>
        <Disk_size>${size / SECTOR_SIZE}</Disk_size>
        <Cylinders>${cylinders}</Cylinders>
        <PhysicalSectorSize>4096</PhysicalSectorSize>
        <LogicSectorSize>512</LogicSectorSize>
        <Heads>${heads}</Heads>
        <Sectors>${sectors}</Sectors>
        <Padding>0</Padding>
        <Encryption>
            <Engine>${NO_GUID}</Engine>
            <Data></Data>
            <Salt></Salt>
        </Encryption>
        <UID>${randomGuid()}</UID>
        <Name>${escapeText(name)}</Name>
        <Miscellaneous>
            <CompatLevel>level2</CompatLevel>
${zeros.join("\n")}
        </Miscellaneous>
    </Disk_Parameters>`;
}

function storagesOf(bundle: NewBundle): string[] {
  const { name, size, clusterSize, plain } = bundle;
  const part = partSize(bundle);
  return Array.from({ length: Math.max(1, Math.ceil(size / part)) }, (_, index) => {
    const file = escapeText(imageName(`${name}.hdd`, index, DEFAULT_TOP));
    return `        <Storage>
            <Start>${(index * part) / SECTOR_SIZE}</Start>
            <End>${Math.min((index + 1) * part, size) / SECTOR_SIZE}</End>
            <Blocksize>${clusterSize / SECTOR_SIZE}</Blocksize>
            <Image>
                <GUID>${DEFAULT_TOP}</GUID>
                <Type>${plain === true ? "Plain" : "Compressed"}</Type>
                <File>${file}</File>
            </Image>
        </Storage>`;
  });
}

/** The bytes of a storage: whole clusters. A cluster that is larger than the split is a storage of its own. */
function partSize({ size, clusterSize, split }: NewBundle): number {
  if (split === undefined || split === false) return Math.max(size, SECTOR_SIZE);
  const wanted = split === true ? SPLIT_SIZE : split;
  return Math.max(1, Math.floor(wanted / clusterSize)) * clusterSize;
}

function requireSizes(bundle: NewBundle): void {
  const { size, split } = bundle;
  requireSectors(bundle);
  if (typeof split === "number" && !(Number.isSafeInteger(split) && split >= SECTOR_SIZE))
    throw new RangeError(`split: expected at least ${SECTOR_SIZE} bytes, got ${quote(split)}`);
  const count = Math.ceil(size / partSize(bundle));
  if (count > MAX_STORAGES)
    throw new RangeError(`split: expected at most ${MAX_STORAGES} storages, got ${count}: choose larger ones`);
}

function requireName(name: unknown): void {
  if (typeof name !== "string") throw new TypeError(`name: expected text, got ${quote(name)}`);
  if (name === "" || /[/\\:\p{Cc}\p{Cs}\ufffe\uffff]/u.test(name))
    throw new RangeError(`name: expected a plain file name without ".hdd", got ${quote(name)}`);
}
