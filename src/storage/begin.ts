/**
 * Transfers that end in a callback, for storages whose system works in callbacks anyway: a promise a request is spared.
 * Under a symbol, so that no storage of somebody's own has it by accident; whoever has not is asked for promises.
 */
import type { Storage } from "./storage.js";

export const BEGIN: unique symbol = Symbol("begin");

/** What was thrown, which may be anything. */
export interface Failure {
  readonly thrown: unknown;
}

/** Is called once, when a transfer ends: with what it answers, or what it failed with. */
export type Ended = (answer: unknown, failure?: Failure) => void;

export interface BeginningStorage extends Storage {
  /** Begins a `read` or `write`; answers whether it did, as one whose `read` is somebody else's by now must be asked by that. */
  [BEGIN]?(verb: "read" | "write", buffer: Uint8Array, offset: number, ended: Ended): boolean;
}
