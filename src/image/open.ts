/**
 * Open: every field of the file is untrusted, and counts are checked against the file's real length before
 * anything is allocated. What makes the data unreachable is an error; what makes it unsafe to change the image is a
 * finding, which refuses opening for writing.
 */
import { createEngine } from "../engine/create.js";
import type { Engine, EngineKind } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import { decodeHeader, FLAG, HEADER_SIZE, type Header, IN_USE, SECTOR_SIZE, validateHeader } from "../format/header.js";
import { ask, closeStorage, readFully, sizeOf } from "../medium/transfer.js";
import { newMutexes } from "../mutex.js";
import type { Operation } from "../operation.js";
import { READING, requireVerbs, storageName, WRITING } from "../storage/answers.js";
import type { Storage } from "../storage/storage.js";
import { type BaseDisk, baseOf } from "./base.js";
import { inspect } from "./check.js";
import { damages } from "./findings.js";
import { type Image, sectorsToBytes } from "./image.js";
import { beginChange } from "./mark.js";
import { eachBlock } from "./pieces.js";
import { RangeLocks } from "./range-locks.js";
import { mend } from "./repair.js";
import type { PreallocationMode, RepairLevel } from "./reports.js";
import { survey } from "./survey.js";

/** What the operation needs of the options of either face. */
export interface OpenSettings {
  readOnly: boolean;
  engine: EngineKind | undefined;
  /** What lies beneath; it stays its owner's to close. */
  base: BaseDisk | Storage | undefined;
  repair: RepairLevel | "none";
  preallocation: { mode: PreallocationMode; size: number };
  /** Whether requests may overlap: in the asynchronous face. */
  concurrent: boolean;
}

/** Opens an image. */
export function* open(storage: Storage, settings: OpenSettings): Operation<Image> {
  const image = yield* load(storage, settings);
  return image.readOnly ? image : yield* makeSound(image, settings);
}

/** Runs what takes a storage over: the storage belongs to it from now on, and is closed where it fails. */
export function* owning<T>(storage: Storage, operation: () => Operation<T>): Operation<T> {
  try {
    requireVerbs(storage, READING);
    return yield* operation();
  } catch (error) {
    yield* closeQuietly(storage);
    throw error;
  }
}

/** Repairs the image as far as was asked for; one that still has corruption is not opened for writing. */
function* makeSound(image: Image, settings: OpenSettings): Operation<Image> {
  if (settings.repair === "none" || (settings.repair === "leaks" && damages(image).length > 0)) {
    requireSound(image);
    image.takenOver = true;
    return image;
  }
  const repaired = yield* mend(image, settings.repair);
  image.repaired = repaired;
  const mended = image.header.batEntries === image.engine.entryCount ? image : yield* reload(image, settings);
  requireSound(mended);
  return mended;
}

/** A BAT that was made longer needs larger tables: the image as it goes on with them. */
function* reload(image: Image, settings: OpenSettings): Operation<Image> {
  const longer = yield* load(image.storage, settings);
  Object.assign(longer, { spared: image.spared, foundUnclean: false });
  yield* survey(longer); // for what is spared
  yield* beginChange(longer);
  longer.repaired = { ...image.repaired!, after: yield* inspect(longer) };
  return longer;
}

/** Reads header and BAT. */
export function* load(storage: Storage, settings: OpenSettings): Operation<Image> {
  if (storage.readOnly && !settings.readOnly) {
    throw new DiskError("READ_ONLY", `${storageName(storage)} cannot be written: open the disk with readOnly: true`);
  }
  if (!settings.readOnly) requireVerbs(storage, WRITING);
  const fileSize = yield* sizeOf(storage);
  const headerBytes = new Uint8Array(Math.min(HEADER_SIZE, fileSize));
  yield* readFully(storage, headerBytes, 0);
  const header = decodeHeader(headerBytes);
  validateHeader(header, fileSize);
  refuseConverting(header, settings.readOnly);
  const engine = createEngine(settings.engine, header.batEntries, header.format === "v1" ? header.tracks : 1);
  const emptyFlag = (header.flags & FLAG.empty) !== 0;
  if (!emptyFlag) yield* readBat(storage, engine);
  const base = settings.base && (yield* baseOf(settings.base));
  // A promise would be refused when the first cluster is copied: better before anything is.
  if (base && !settings.concurrent) yield* ask(base, base.size);
  const locks = settings.concurrent
    ? { locks: new RangeLocks(), tasks: newMutexes() }
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
    ...UNSURVEYED,
    size: sectorsToBytes(header.sectorCount),
    clusterSize,
    entryUnit: header.format === "v1" ? SECTOR_SIZE : clusterSize,
    fileSize,
    durableSize: header.inUse === IN_USE.open ? 0 : fileSize,
    foundSize: fileSize,
    spared: 0,
    zeroFrom: fileSize,
    foundUnclean: header.inUse === IN_USE.open,
    takenOver: false,
    marked: false,
    emptyFlag,
    // What an unclean image holds may never have reached the medium: its writer did not finish.
    unflushed: header.inUse === IN_USE.open,
    unpublished: [],
    parkedBytes: 0,
    publishing: 0,
    held: [],
    heldCount: 0,
    punches: storage.punch !== undefined,
    preallocation: { ...settings.preallocation, fallback: undefined },
    repaired: undefined,
    flushError: undefined,
    closed: false,
    abandoned: false,
    ending: { underWay: undefined, failed: false, done: false },
  };
  yield* survey(image);
  return image;
}

function readBat(storage: Storage, engine: Engine): Operation<void> {
  return eachBlock(storage, HEADER_SIZE, HEADER_SIZE + 4 * engine.entryCount, (bytes, fileOffset) =>
    engine.batBytes.set(bytes, fileOffset - HEADER_SIZE),
  );
}

/** What `survey` is about to find out. */
const UNSURVEYED = {
  grid: { origin: 1, lastEntry: 0, hostLimit: 0 },
  facts: { allocated: 0, end: 0, below: 0, outside: 0, offGrid: 0, duplicates: 0 },
  dataStart: 0,
  dataStartValid: true,
  phase: undefined,
  extensionProblem: undefined,
};

/**
 * Nobody opens an image that is both converting and in use. So one that is converting is not opened for writing either:
 * the mark of the first change would make it such an image, and a crash would leave it so.
 */
function refuseConverting(header: Header, readOnly: boolean): void {
  if ((header.flags & FLAG.converting) === 0 || (readOnly && header.inUse !== IN_USE.open)) return;
  const ways = header.inUse === IN_USE.open ? "restore a backup" : "open it with readOnly: true to save what it holds";
  throw new DiskError(
    "CONVERTING",
    `a conversion between format versions is under way or was cut off in this image: let the software that began it finish, or ${ways}`,
  );
}

/** An image with corruption is not changed. */
function requireSound(image: Image): void {
  const findings = damages(image);
  if (findings.length === 0) return;
  throw new DiskError(
    "CORRUPT",
    `the image is damaged and was not opened for writing: ${findings.map(({ message }) => message).join("; ")}. Open it with readOnly: true to save what can be read, or with repair: "all" ("parablock check --repair all")`,
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
