/** What a fuzzer looks for: something that must not happen, whatever the input is like. */
import { DiskError } from "../src/errors.js";

/** An invariant that does not hold. */
export class Fault extends Error {}

/** What a verb answered: a value, or an error of the project's own. */
export type Answer<T> =
  | { value: T; error?: undefined }
  | { value?: undefined; error: DiskError | RangeError | TypeError };

/** Runs a verb. Anything but the project's own errors is a fault, and so are mistakes that the caller did not make. */
export async function ask<T>(doing: string, verb: () => T | Promise<T>, mistaken = false): Promise<Answer<T>> {
  try {
    return { value: await verb() };
  } catch (error) {
    return { error: ownError(doing, error, mistaken) };
  }
}

export function ownError(doing: string, error: unknown, mistaken = false): DiskError | RangeError | TypeError {
  if (error instanceof Fault) throw error;
  const isMistake = error instanceof RangeError || error instanceof TypeError;
  if (!(error instanceof DiskError) && !(isMistake && mistaken))
    throw new Fault(
      `${doing} ends with ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
      {
        cause: error,
      },
    );
  if (error.message.length < 20) throw new Fault(`${doing} ends with an error that says nothing: ${error.message}`);
  return error;
}

/** What an error is, where two must be the same. */
export const nameOf = (error: DiskError | RangeError | TypeError | undefined): string =>
  error === undefined ? "success" : error instanceof DiskError ? `${error.code}: ${error.message}` : `${error}`;
