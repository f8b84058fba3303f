/** Errors on their way between threads: a copy made by the platform would lose the class, the code and the details. */
import { DiskError, type DiskErrorCode } from "../errors.js";

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
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message } = error;
  const packed: WireError = { name, message };
  if (error instanceof DiskError) Object.assign(packed, { code: error.code, details: cloneable(error.details) });
  if (error.cause !== undefined && causes > 0) packed.cause = packError(error.cause, causes - 1);
  return packed;
}

/** Makes the error anew: the caller's mistakes and DiskErrors as what they were, all else as an Error of that name. */
export function unpackError({ name, message, code, details, cause: packedCause }: WireError): Error {
  const cause = packedCause && unpackError(packedCause);
  if (code !== undefined) return new DiskError(code, message, details, cause);
  const options = cause && { cause };
  if (name === "RangeError") return new RangeError(message, options);
  if (name === "TypeError") return new TypeError(message, options);
  const error = new Error(message, options);
  // Not enumerable, as an error's name is.
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
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
