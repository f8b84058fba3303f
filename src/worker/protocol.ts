/**
 * What the two ends of a served disk say to each other. Every message carries a mark, so that a program may use the
 * same port for messages of its own. A message:
 *
 *     page -> worker   hello                      who is there? (again after each "hello" of the worker)
 *     worker -> page   welcome | refused          the disk's properties, and the lock that tells of the worker's end
 *     page -> worker   request id verb ...        any number at a time
 *     worker -> page   done | failed id           in whatever order they are finished
 *     worker -> page   closed                     the disk was closed, by either side
 *     page -> worker   bye                        the page knows; the worker may let go of the lock
 */

import type { AnyDevice, Extent } from "../device/block-device.js";
import type { Format } from "../format/header.js";
import type { DiskInfo } from "../image/info.js";
import type { CheckReport, RepairLevel, RepairReport } from "../image/reports.js";
import { quote } from "../printable.js";
import type { WireError } from "./wire-error.js";

export const MARK = "parablock/1";

/** Either end of a connection: a MessagePort, a Worker, or the global scope of a dedicated worker. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
}

/** What can be served: any block device. What it lacks, the other end is told when it asks for it. */
export type Servable = AnyDevice & {
  readonly clusterCount?: number;
  readonly allocatedBytes?: number;
  readonly format?: Format;
  readonly info?: DiskInfo;
  check?(): CheckReport | Promise<CheckReport>;
  repair?(level: RepairLevel): RepairReport | Promise<RepairReport>;
  abandon?(): void | Promise<void>;
};

/** What does not change while a disk is open. */
export interface Properties {
  size: number;
  clusterSize: number;
  clusterCount: number;
  /** Absent for what is no Parallels image. */
  format: Format | undefined;
  readOnly: boolean;
  path: string | undefined;
}

/** The verbs: what a request gives, and what it is answered. */
export interface Verbs {
  /** `spare` is memory for the answer. */
  read(given: { offset: number; length: number; spare?: ArrayBuffer | undefined }): Uint8Array<ArrayBuffer>;
  write(given: { offset: number; buffer: Uint8Array<ArrayBuffer> }): void;
  writeZeroes(given: { offset: number; length: number }): void;
  discard(given: { offset: number; length: number }): void;
  flush(given: object): void;
  status(given: { offset: number; length: number; limit: number | undefined }): Extent[];
  check(given: object): CheckReport;
  repair(given: { level: RepairLevel }): RepairReport;
  info(given: object): DiskInfo;
  close(given: object): void;
  abandon(given: object): void;
}

export type Verb = keyof Verbs;
export type Given<V extends Verb> = Parameters<Verbs[V]>[0];
export type Answer<V extends Verb = Verb> = ReturnType<Verbs[V]>;
export type Request = { [V in Verb]: { kind: "request"; id: number; verb: V } & Given<V> }[Verb];

export type ToWorker = { kind: "hello" } | Request | { kind: "bye" };

export type ToPage =
  | { kind: "welcome"; properties: Properties; allocatedBytes: number; lock: string | undefined }
  | { kind: "refused"; error: WireError }
  /** `spare` is memory that the page sent, and may use again. */
  | { kind: "done"; id: number; answer: Answer; allocatedBytes: number; spare?: ArrayBuffer }
  | { kind: "failed"; id: number; error: WireError }
  | { kind: "closed" };

/** Sends a message; the buffers in `transfer` change hands. */
export function send<M extends ToWorker | ToPage>(port: Port, message: M, transfer: Transferable[] = []): void {
  port.postMessage({ mark: MARK, ...message }, transfer);
}

/** @throws TypeError for what cannot carry messages */
function requirePort(port: Port): void {
  const { postMessage, addEventListener, removeEventListener } = (port ?? {}) as Partial<Port>;
  if ([postMessage, addEventListener, removeEventListener].every((verb) => typeof verb === "function")) return;
  throw new TypeError(`port: expected a MessagePort, a Worker or a worker's global scope, got ${quote(port)}`);
}

/** Passes on what `understood` takes for ours of what arrives; answers how to stop. */
export function listen<M>(
  port: Port,
  understood: (data: unknown) => M | undefined,
  onMessage: (message: M) => void,
): () => void {
  requirePort(port);
  const listener = (event: Event) => {
    const message = understood((event as MessageEvent).data);
    if (message !== undefined) onMessage(message);
  };
  port.addEventListener("message", listener);
  // A MessagePort keeps what arrives until it is started.
  if ("start" in port && typeof port.start === "function") port.start();
  return () => port.removeEventListener("message", listener);
}

/** Ends a connection. A MessagePort is closed; a worker is the program's to end, and so is its global scope. */
export function hangUp(port: Port): void {
  if (port instanceof MessagePort) port.close();
}
