/** What devices of other hands are and answer, checked once, where it enters. */
import { isCount } from "../count.js";
import { DiskError } from "../errors.js";
import { quote } from "../printable.js";
import { isThenable } from "../promises.js";
import { storageName } from "../storage/answers.js";
import type { Storage } from "../storage/storage.js";
import type { AnyDevice, Extent } from "./block-device.js";

/** A device has a size; a storage, which tells it when asked, has not. */
export function isDevice(thing: AnyDevice | Storage): thing is AnyDevice {
  return typeof thing.size === "number";
}

/** Whether something can be a device or a storage, as far as can be seen. */
export function isReadable(thing: unknown): thing is AnyDevice | Storage {
  if (typeof thing !== "object" || thing === null || isThenable(thing)) return false;
  const { size, read } = thing as { size?: unknown; read?: unknown };
  return typeof read === "function" && (typeof size === "number" || typeof size === "function");
}

/** The runs that `status` tells of `length` bytes from `offset`. @throws DiskError BAD_STORAGE */
export function extentsAnswered(device: AnyDevice, answer: unknown, offset: number, length: number): Extent[] {
  const runs: unknown[] = Array.isArray(answer) ? answer : [];
  let at = offset;
  for (const run of runs) {
    if (!isRun(run) || run.offset !== at || run.length > offset + length - at) throw badStatus(device, shown(run));
    at += run.length;
  }
  if (at === offset && length > 0) throw badStatus(device, Array.isArray(answer) ? "no run" : quote(answer));
  return runs as Extent[];
}

/** Whether something can be a run of a device. */
export function isRun(run: unknown): run is Extent {
  if (typeof run !== "object" || run === null) return false;
  const { offset, length, kind, layer, fileOffset } = run as Partial<Extent>;
  const placed = isCount(layer) && (fileOffset === undefined || isCount(fileOffset));
  return isCount(offset) && isCount(length) && length > 0 && (kind === "data" || kind === "zero") && placed;
}

/** A run that is none, so that a reader knows it again. */
function shown(run: unknown): string {
  if (typeof run !== "object" || run === null) return quote(run);
  const { offset, length, kind } = run as Partial<Extent>;
  return `one of length ${quote(length)} at ${quote(offset)}, of the kind ${quote(kind)}`;
}

function badStatus(device: AnyDevice, got: string): DiskError {
  const name = storageName(device);
  return new DiskError(
    "BAD_STORAGE",
    `${name} is no device to rely on: its status must answer runs that follow each other from the offset asked for, it answered ${got}`,
    { storage: name, verb: "status", answer: got },
  );
}
