/**
 * Devices as operations use them, and operations as devices: a kind of device is written once, as verbs that are
 * operations, and given to callers in either face.
 */

import { counted } from "../count.js";
import { requestError } from "../errors.js";
import { call, type Operation } from "../operation.js";
import { runAsync, runSync } from "../run.js";
import { extentsAnswered } from "./answers.js";
import type { AnyDevice, BlockDevice, BlockDeviceSync, Extent } from "./block-device.js";

/** A device's verbs, written once. */
export interface Verbs {
  readonly size: number;
  readonly path?: string | undefined;
  readonly readOnly?: boolean;
  readonly clusterSize?: number;
  read(buffer: Uint8Array, offset: number): Operation<void>;
  write?(buffer: Uint8Array, offset: number): Operation<void>;
  writeZeroes?(offset: number, length: number): Operation<void>;
  discard?(offset: number, length: number): Operation<void>;
  flush?(): Operation<void>;
  status?(offset?: number, length?: number, limit?: number): Operation<Extent[]>;
  resize?(size: number): Operation<void>;
  close?(): Operation<void>;
}

const VERBS = ["read", "write", "writeZeroes", "discard", "flush", "status", "resize", "close"] as const;

/** The device of verbs that answer with promises. */
export const asyncDevice = (verbs: Verbs): BlockDevice => bind(verbs, runAsync) as BlockDevice;

/** The device of verbs that answer at once. */
export const syncDevice = (verbs: Verbs): BlockDeviceSync => bind(verbs, runSync) as BlockDeviceSync;

function bind(verbs: Verbs, run: (operation: Operation<unknown>) => unknown): object {
  const device = {
    get size() {
      return verbs.size;
    },
    path: verbs.path,
    ...(verbs.readOnly === undefined ? {} : { readOnly: verbs.readOnly }),
    ...(verbs.clusterSize === undefined ? {} : { clusterSize: verbs.clusterSize }),
  };
  for (const name of VERBS) {
    const verb = verbs[name] as ((...given: unknown[]) => Operation<unknown>) | undefined;
    if (verb !== undefined) Object.assign(device, { [name]: (...given: unknown[]) => run(verb.apply(verbs, given)) });
  }
  return device;
}

/** Fills `buffer` from a device. */
export function* readDevice(device: AnyDevice, buffer: Uint8Array, offset: number): Operation<void> {
  try {
    yield* call<void>(() => device.read(buffer, offset));
  } catch (error) {
    throw requestError(`reading ${counted(buffer.length, "byte")} at ${offset}`, error);
  }
}

/** What lies where in a range that is not empty; of a device that does not tell it may be anything. */
export function* statusOf(device: AnyDevice, offset: number, length: number, limit: number): Operation<Extent[]> {
  if (device.status === undefined) return [{ offset, length, kind: "data", layer: 0 }];
  const answer = yield* call<unknown>(() => device.status?.(offset, length, limit));
  return extentsAnswered(device, answer, offset, length);
}

/** Adds a run behind others, joined with the last one where it continues it. */
export function appendRun(runs: Extent[], run: Extent): void {
  const last = runs[runs.length - 1];
  const expected = last?.fileOffset === undefined ? undefined : last.fileOffset + last.length;
  const follows = last !== undefined && last.kind === run.kind && last.layer === run.layer;
  if (follows && run.fileOffset === expected) last.length += run.length;
  else runs.push(run);
}
