/**
 * Open: every field of the file is untrusted, and counts are checked against the file's real length before
 * anything is allocated. What makes the data unreachable is an error; what makes it unsafe to change the image is a
 * finding, which refuses opening for writing.
 */
import { createEngine } from "../engine/create.js";
import { DIRTY_BLOCK_SIZE, type Engine, type EngineKind, type Grid, type ScanFacts } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import { parseExtension } from "../format/extension.js";
import {
  dataStart,
  decodeHeader,
  FLAG,
  HEADER_SIZE,
  type Header,
  IN_USE,
  SECTOR_SIZE,
  validateHeader,
} from "../format/header.js";
import type { Storage } from "../storage/storage.js";
import { type BaseDisk, baseOf } from "./base.js";
import { corruptions } from "./findings.js";
import { type Image, sectorsToBytes } from "./image.js";
import type { Operation } from "./operation.js";
import { RangeLocks } from "./range-locks.js";
import { closeStorage, readFully, readUpTo, sizeOf } from "./transfer.js";

/** What the operation needs of the options of either face. */
export interface OpenSettings {
  readOnly: boolean;
  engine: EngineKind | undefined;
  /** What lies beneath; it stays its owner's to close. */
  base: BaseDisk | Storage | undefined;
  /** Whether requests may overlap: in the asynchronous face. */
  concurrent: boolean;
}

/** Opens an image. */
export function* open(storage: Storage, settings: OpenSettings): Operation<Image> {
  const image = yield* load(storage, settings);
  if (!image.readOnly) requireSound(image);
  return image;
}

/** Runs what takes a storage over: the storage belongs to it from now on, and is closed where it fails. */
export function* owning<T>(storage: Storage, operation: () => Operation<T>): Operation<T> {
  try {
    return yield* operation();
  } catch (error) {
    yield* closeQuietly(storage);
    throw error;
  }
}

function* load(storage: Storage, settings: OpenSettings): Operation<Image> {
  if (storage.readOnly && !settings.readOnly) {
    throw new DiskError(
      "READ_ONLY",
      `${storage.path ?? "the storage"} cannot be written: open the disk with readOnly: true`,
    );
  }
  const fileSize = yield* sizeOf(storage);
  const headerBytes = new Uint8Array(Math.min(HEADER_SIZE, fileSize));
  yield* readFully(storage, headerBytes, 0);
  const header = decodeHeader(headerBytes);
  validateHeader(header, fileSize);
  refuseConverting(header);
  const { sector: dataSector, valid: dataStartValid } = dataStart(header, fileSize);
  const engine = createEngine(settings.engine, header.batEntries, header.format === "v1" ? header.tracks : 1);
  const emptyFlag = (header.flags & FLAG.empty) !== 0;
  if (!emptyFlag) yield* readFully(storage, engine.batBytes, HEADER_SIZE);
  const facts = scan(engine, header, dataSector, fileSize);
  if (emptyFlag) engine.setDirty(0, Math.ceil((4 * header.batEntries) / DIRTY_BLOCK_SIZE), true);
  const base = settings.base && (yield* baseOf(settings.base));
  const locks = settings.concurrent
    ? { locks: new RangeLocks(), tasks: new RangeLocks() }
    : { locks: undefined, tasks: undefined };
  const clusterSize = sectorsToBytes(header.tracks);
  const image: Image = {
    ...locks,
    readOnly: settings.readOnly,
    base,
    storage,
    engine,
    header,
    headerBytes,
    facts,
    dataStartValid,
    size: sectorsToBytes(header.sectorCount),
    clusterSize,
    entryUnit: header.format === "v1" ? SECTOR_SIZE : clusterSize,
    dataStart: sectorsToBytes(dataSector),
    extensionProblem: undefined,
    fileSize,
    zeroFrom: fileSize,
    foundUnclean: header.inUse === IN_USE.open,
    marked: header.inUse === IN_USE.open,
    emptyFlag,
    unflushed: false,
    held: [],
    flushError: undefined,
    closed: false,
  };
  if (header.extensionOffset !== 0) image.extensionProblem = yield* reserveExtension(image);
  return image;
}

function refuseConverting(header: Header): void {
  if ((header.flags & FLAG.converting) === 0 || header.inUse !== IN_USE.open) return;
  throw new DiskError(
    "CONVERTING",
    "a conversion between format versions was cut off in this image: let the software that began it finish, or restore a backup",
  );
}

/** Scans the BAT; a v1 image whose clusters lie off the derived data start gets its own phase (VirtualBox writes such). */
function scan(engine: Engine, header: Header, dataSector: number, fileSize: number): ScanFacts {
  const facts = engine.scan(gridAt(header, dataSector, fileSize));
  if (facts.offGrid === 0 || header.dataOffset !== 0) return facts;
  const first = engine.bat.find((entry) => entry >= dataSector)!;
  const phase = (first - dataSector) % header.tracks;
  const shifted = engine.scan(gridAt(header, dataSector + phase, fileSize));
  return shifted.offGrid + shifted.below < facts.offGrid + facts.below
    ? shifted
    : engine.scan(gridAt(header, dataSector, fileSize));
}

function gridAt({ format, tracks }: Header, dataSector: number, fileSize: number): Grid {
  const fileSectors = Math.floor(fileSize / SECTOR_SIZE);
  const unit = format === "v1" ? 1 : tracks;
  const step = format === "v1" ? tracks : 1;
  const origin = Math.ceil(dataSector / unit);
  const maxEntry = Math.min(2 ** 32 - 1, Math.floor(Number.MAX_SAFE_INTEGER / SECTOR_SIZE / unit) - step);
  return {
    origin,
    lastEntry: Math.max(0, Math.min(Math.floor((fileSectors - tracks) / unit), maxEntry)),
    hostLimit: Math.max(0, Math.floor((maxEntry - origin) / step) + 1),
  };
}

/** Marks the clusters of the format extension and its bitmaps as used; answers why that cannot be done. */
function* reserveExtension(image: Image): Operation<string | undefined> {
  const { header, clusterSize, fileSize } = image;
  const own = reserveSector(image, header.extensionOffset);
  if (own !== undefined) return own;
  const cluster = new Uint8Array(Math.min(clusterSize, fileSize - sectorsToBytes(header.extensionOffset)));
  yield* readUpTo(image.storage, cluster, sectorsToBytes(header.extensionOffset));
  const { bitmapSectors, problem } = parseExtension(cluster);
  const problems = bitmapSectors.map((sector) => reserveSector(image, sector));
  return problem ?? problems.find((found) => found !== undefined);
}

function reserveSector(image: Image, sector: number): string | undefined {
  const { engine, clusterSize, fileSize } = image;
  const hostCluster = (sectorsToBytes(sector) / image.entryUnit - engine.origin) / engine.step;
  const inside = hostCluster >= 0 && sectorsToBytes(sector) + clusterSize <= fileSize;
  if (!inside || !Number.isInteger(hostCluster)) return `its cluster at sector ${sector} does not lie in the data area`;
  return engine.reserve(hostCluster, 1) > 0
    ? `its cluster at sector ${sector} is used by the disk's data, too`
    : undefined;
}

/** An image with corruption is not changed. */
function requireSound(image: Image): void {
  const findings = corruptions(image);
  if (findings.length === 0) return;
  throw new DiskError(
    "CORRUPT",
    `the image is damaged and was not opened for writing: ${findings.map(({ message }) => message).join("; ")}. Run "parablock check", or open it with readOnly: true`,
    { findings },
  );
}

function* closeQuietly(storage: Storage): Operation<void> {
  try {
    yield* closeStorage(storage);
  } catch {
    // The error that came first says more.
  }
}
