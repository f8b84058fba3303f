/**
 * Open: every field of the file is untrusted, and counts are checked against the file's real length before
 * anything is allocated. What makes the data unreachable is an error; what makes it unsafe to change the image is a
 * finding, which refuses opening for writing.
 */
import { isDevice } from "../device/answers.js";
import type { AnyDevice } from "../device/block-device.js";
import { rawVerbs } from "../device/raw.js";
import { asyncDevice, readDevice, syncDevice, type Verbs } from "../device/verbs.js";
import { createEngine } from "../engine/create.js";
import type { Engine, EngineKind } from "../engine/engine.js";
import { DiskError } from "../errors.js";
import { decodeHeader, FLAG, HEADER_SIZE, type Header, IN_USE, validateHeader } from "../format/header.js";
import { Medium } from "../medium/medium.js";
import { closeStorage, sizeOf } from "../medium/transfer.js";
import { type Operation, quietly } from "../operation.js";
import { READING, requireVerbs, sizeAnswered, storageName, WRITING } from "../storage/answers.js";
import type { Storage } from "../storage/storage.js";
import { eachFilled } from "./blocks.js";
import { damages } from "./findings.js";
import { Image } from "./image.js";
import { mend } from "./repair.js";
import type { PreallocationMode, RepairLevel } from "./reports.js";
import { survey } from "./survey.js";
import { Tables } from "./tables.js";

/** What the operation needs of the options of either face. */
export interface OpenSettings {
  readOnly: boolean;
  engine: EngineKind | undefined;
  /** What lies beneath; it stays its owner's to close. */
  base: AnyDevice | Storage | undefined;
  repair: RepairLevel | "none";
  preallocation: { mode: PreallocationMode; size: number };
  /** Whether requests may overlap: in the asynchronous face. */
  concurrent: boolean;
  /** It has only just been made: nothing in its BAT has to be read. */
  fresh?: boolean;
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
    yield* quietly(closeStorage(storage));
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
  image.repaired = yield* mend(image, settings.repair);
  requireSound(image);
  return image;
}

/** Reads header and BAT. */
export function* load(storage: Storage, settings: OpenSettings): Operation<Image> {
  if (storage.readOnly && !settings.readOnly) {
    throw new DiskError("READ_ONLY", `${storageName(storage)} cannot be written: open the disk with readOnly: true`);
  }
  if (!settings.readOnly) requireVerbs(storage, WRITING);
  const medium = new Medium(storage, yield* sizeOf(storage), settings);
  const tables = yield* loadTables(medium, settings);
  const base = settings.base && (yield* deviceBeneath(settings.base, settings.concurrent));
  const foundUnclean = tables.header.inUse === IN_USE.open;
  // What an unclean image holds may never have reached the medium: its writer did not finish.
  if (foundUnclean) medium.distrust();
  const image = new Image(medium, tables, base, { ...settings, foundUnclean });
  yield* survey(image);
  return image;
}

function* loadTables(medium: Medium, { readOnly, engine: kind, fresh = false }: OpenSettings): Operation<Tables> {
  const headerBytes = new Uint8Array(Math.min(HEADER_SIZE, medium.size));
  yield* medium.read(headerBytes, 0);
  const header = decodeHeader(headerBytes);
  validateHeader(header, medium.size);
  refuseConverting(header, readOnly);
  const engine = createEngine(kind, header.batEntries, header.format === "v1" ? header.tracks : 1);
  const tables = new Tables(engine, header, headerBytes, medium.size);
  if (!tables.emptyFlag && !fresh) yield* readBat(medium, engine);
  return tables;
}

function readBat(medium: Medium, engine: Engine): Operation<void> {
  return eachFilled(medium, HEADER_SIZE, HEADER_SIZE + 4 * engine.entryCount, (bytes, fileOffset) =>
    engine.batBytes.set(bytes, fileOffset - HEADER_SIZE),
  );
}

/** What lies beneath: a device, or a storage with raw bytes. */
export function* deviceBeneath(beneath: AnyDevice | Storage, concurrent: boolean): Operation<AnyDevice> {
  const device = isDevice(beneath) ? beneath : bound(yield* rawVerbs(beneath), concurrent);
  sizeAnswered(device, device.size);
  // A promise would be refused when the first cluster is copied: better before anything is.
  if (!concurrent) yield* readDevice(device, new Uint8Array(Math.min(1, device.size)), 0);
  return device;
}

const bound = (verbs: Verbs, concurrent: boolean): AnyDevice => (concurrent ? asyncDevice(verbs) : syncDevice(verbs));

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
