/** Errors on their way between threads: a copy made by the platform would lose the class, the code and the details. */
import { DiskError, type DiskErrorCode, reasonOf } from "../errors.js";
import { shownMessage, shownName } from "../printable.js";

export interface WireError {
  name: string;
  message: string;
  /** Of a DiskError. */
  code?: DiskErrorCode;
  details?: Record<string, unknown>;
  cause?: WireError;
}

/** Causes have causes; nobody reads more of them. */
const MAX_CAUSES = 4;

export function packError(error: unknown, causes = MAX_CAUSES): WireError {
  if (!(error instanceof Error)) return { name: "Error", message: reasonOf(error) };
  const { name, message } = error as { name: unknown; message: unknown };
  const packed: WireError = {
    name: typeof name === "string" ? name : "Error",
    message: typeof message === "string" ? message : reasonOf(error),
  };
  if (error instanceof DiskError) Object.assign(packed, { code: error.code, details: cloneable(error.details) });
  if (error.cause !== undefined && causes > 0) packed.cause = packError(error.cause, causes - 1);
  return packed;
}

/** Whether something that came is a packed error, with no more causes than are packed. */
export function isWireError(value: unknown, causes = MAX_CAUSES): value is WireError {
  if (typeof value !== "object" || value === null) return false;
  const { name, message, code, details, cause } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    typeof message === "string" &&
    (code === undefined || (typeof code === "string" && /^[A-Z_]{1,40}$/.test(code))) &&
    (details === undefined || (typeof details === "object" && details !== null)) &&
    (cause === undefined || (causes > 0 && isWireError(cause, causes - 1)))
  );
}

/** Makes the error anew: the caller's mistakes and DiskErrors as what they were, all else as an Error of that name. */
export function unpackError({ name, message: text, code, details, cause: packedCause }: WireError): Error {
  const cause = packedCause && unpackError(packedCause);
  const message = shownMessage(text);
  if (code !== undefined) return new DiskError(code, message, details, cause);
  const options = cause && { cause };
  if (name === "RangeError") return new RangeError(message, options);
  if (name === "TypeError") return new TypeError(message, options);
  const error = new Error(message, options);
  // Not enumerable, as an error's name is.
  Object.defineProperty(error, "name", { value: shownName(name), configurable: true, writable: true });
  return error;
}

/** Details that cannot be sent are left out, one by one. */
function cloneable(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => isCloneable(value)));
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
