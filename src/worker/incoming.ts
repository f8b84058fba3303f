/**
 * What the other end says, checked where it comes in: it may be another version, another program, or broken. Kinds of
 * messages that are unknown pass unheard; a message of a known kind that is not what it must be says that nothing more
 * can be understood.
 */

import { isCount } from "../count.js";
import { isRun } from "../device/answers.js";
import { type Answer, MARK, type Properties, type Request, type ToPage, type ToWorker, type Verb } from "./protocol.js";
import { isWireError } from "./wire-error.js";

/** A message that cannot be understood, by its kind. */
export interface Malformed {
  kind: "malformed";
  what: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether a message of a kind is what it must be, by its kind. */
type Checks<M extends { kind: string }> = Readonly<Record<M["kind"], (fields: Fields) => boolean>>;

const TO_PAGE: Checks<ToPage> = {
  welcome: ({ properties, allocatedBytes, lock }) =>
    areProperties(properties) && isCount(allocatedBytes) && (lock === undefined || typeof lock === "string"),
  refused: ({ error }) => isWireError(error),
  done: ({ id, allocatedBytes, spare }) =>
    isCount(id) && isCount(allocatedBytes) && (spare === undefined || spare instanceof ArrayBuffer),
  failed: ({ id, error }) => isCount(id) && isWireError(error),
  closed: () => true,
};

const TO_WORKER: Checks<ToWorker> = {
  hello: () => true,
  request: ({ id, verb }) => isCount(id) && typeof verb === "string",
  bye: () => true,
};

/** What of a message to the page is ours. */
export function toPage(data: unknown): ToPage | Malformed | undefined {
  return understood(data, TO_PAGE);
}

/** What of a message to the worker is ours. What a request gives is its verb's to check. */
export function toWorker(data: unknown): ToWorker | Malformed | undefined {
  return understood(data, TO_WORKER);
}

function understood<M extends { kind: string }>(data: unknown, checks: Checks<M>): M | Malformed | undefined {
  let kind: unknown;
  try {
    if (!isObject(data) || data.mark !== MARK) return undefined;
    ({ kind } = data);
    if (typeof kind !== "string" || !Object.hasOwn(checks, kind)) return undefined;
    if (checks[kind as M["kind"]](data)) return data as unknown as M;
  } catch {
    // A port that copies nothing can bring anything.
  }
  return typeof kind === "string" ? { kind: "malformed", what: kind } : undefined;
}

/** The verbs that a worker performs, and whether something can be the answer to one. */
const ANSWERS: Readonly<Record<Verb, (answer: unknown, request: Request) => boolean>> = {
  read: (answer, request) =>
    answer instanceof Uint8Array && request.verb === "read" && answer.length === request.length,
  status: (answer) => Array.isArray(answer) && answer.every(isRun),
  check: isObject,
  repair: isObject,
  info: isObject,
  write: isNothing,
  writeZeroes: isNothing,
  discard: isNothing,
  flush: isNothing,
  close: isNothing,
  abandon: isNothing,
};

export function isVerb(verb: unknown): verb is Verb {
  return typeof verb === "string" && Object.hasOwn(ANSWERS, verb);
}

export function isAnswer(answer: unknown, request: Request): answer is Answer {
  return ANSWERS[request.verb](answer, request);
}

function areProperties(value: unknown): value is Properties {
  if (!isObject(value)) return false;
  const { size, clusterSize, clusterCount, format, readOnly, path } = value;
  const named = path === undefined || typeof path === "string";
  const known = (format === undefined || format === "v1" || format === "v2") && typeof readOnly === "boolean" && named;
  return known && isCount(size) && isCount(clusterCount) && isCount(clusterSize) && clusterSize > 0;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isNothing(value: unknown): boolean {
  return value === undefined;
}
