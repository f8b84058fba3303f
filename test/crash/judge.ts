/** The judge of one crashed image: what a disk opened on it must be like, whatever was lost. */
import { DiskSync } from "../../src/disk-sync.js";
import type { EngineKind } from "../../src/engine/engine.js";
import { IN_USE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { firstDifference } from "../support/bytes.js";
import { FIELD, fieldOf } from "../support/image.js";
import type { Bitmaps } from "./bitmaps.js";
import type { Guest } from "./guest.js";
import { baseOf, type Setting } from "./setting.js";
import { equalBytes } from "./words.js";

/**
 * What a crash may break. `closed`: the image says that it was closed cleanly, but is not as it was closed; `damaged`:
 * it cannot be opened for writing; `content`: a sector reads as what it must not; `order`: a later request shows without
 * an earlier one; `repair`: a repair changed what the disk reads as, or left something to repair; `leak`: an image that
 * was closed cleanly has leaks; `extension`: the format extension is not sound, or a bitmap misses a change.
 */
export type Fault = "closed" | "damaged" | "content" | "order" | "repair" | "leak" | "extension";

export class Violation extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, message: string, cause?: unknown) {
    super(message, { cause });
    this.fault = fault;
  }
}

/** What is known about a crashed image. */
export interface Expectation {
  setting: Setting;
  guest: Guest;
  /** The images that may rightly say "closed cleanly". */
  atRest: readonly Uint8Array[];
  /** Nothing has happened that may leave leaks in a closed image. */
  tidy: boolean;
  bitmaps: Bitmaps;
  engine: EngineKind;
}

/** Judges an image; answers what its disk reads as. @throws Violation */
export function judge(image: Uint8Array, expectation: Expectation): Uint8Array {
  const closed = saysClosed(image);
  if (closed) requireAtRest(image, expectation.atRest);
  const disk = opened(new MemoryStorage(image), expectation, "none");
  const report = disk.check();
  if (report.corruptions > 0) throw new Violation("damaged", messagesOf(report.findings));
  if (closed && expectation.tidy && report.leaks > 0) throw new Violation("leak", messagesOf(report.findings));
  const content = readAll(disk);
  disk.abandon();
  const fault = expectation.guest.fault(content);
  if (fault !== undefined) throw new Violation("content", fault);
  requireExtension(image, content, expectation);
  requireRepairable(image, content, expectation);
  return content;
}

/** Whether the header says that the image was closed cleanly. */
export function saysClosed(image: Uint8Array): boolean {
  return new DataView(image.buffer, image.byteOffset).getUint32(IN_USE_OFFSET, true) !== IN_USE.open;
}

const IN_USE_OFFSET = 44;

export function readAll(disk: DiskSync): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(disk.size);
  disk.read(content, 0);
  return content;
}

function requireAtRest(image: Uint8Array, atRest: readonly Uint8Array[]): void {
  const differences = atRest.map((rest) => firstDifference(rest, image));
  if (differences.includes(-1)) return;
  const where =
    differences.length === 0 ? "was never closed" : `differs at byte ${differences[differences.length - 1]}`;
  throw new Violation("closed", `the image says that it was closed cleanly, but ${where}`);
}

function requireExtension(image: Uint8Array, content: Uint8Array, { bitmaps }: Expectation): void {
  const fault = bitmaps.fault(image, content);
  if (fault !== undefined) throw new Violation("extension", fault);
}

function opened(storage: MemoryStorage, { setting, engine }: Expectation, repair: "none" | "all"): DiskSync {
  try {
    return DiskSync.open(storage, { engine, repair, ...baseOf(setting), prealloc: { mode: "off" } });
  } catch (error) {
    throw new Violation(
      "damaged",
      `the image cannot be opened with repair "${repair}": ${(error as Error).message}`,
      error,
    );
  }
}

/** A repair must find nothing but leaks, free them, change nothing else, and leave an image that is in order. */
function requireRepairable(image: Uint8Array, content: Uint8Array, expectation: Expectation): void {
  const storage = new MemoryStorage(image);
  const disk = opened(storage, expectation, "all");
  const { after } = disk.repaired!;
  if (after.findings.length > 0) throw new Violation("repair", `a repair leaves: ${messagesOf(after.findings)}`);
  const mended = readAll(disk);
  if (!equalBytes(mended, content)) {
    const difference = firstDifference(mended, content);
    throw new Violation("repair", `a repair changes what the disk reads as, at byte ${difference}`);
  }
  disk.close();
  const repaired = storage.toUint8Array();
  requireExtension(repaired, content, expectation);
  if (!saysClosed(repaired))
    throw new Violation("repair", "the image is not marked as closed after a repair and close");
  // Bitmaps that are stale are all set when the disk is closed, in an extension of another cluster.
  const longest = image.length + (fieldOf(image, FIELD.extensionLow) > 0 ? expectation.setting.clusterSize : 0);
  if (repaired.length > longest && repaired.length !== after.imageEndOffset)
    throw new Violation("repair", `a repair makes the file longer, to ${repaired.length} bytes`);
}

function messagesOf(findings: readonly { message: string }[]): string {
  return findings.map(({ message }) => message).join("; ");
}
