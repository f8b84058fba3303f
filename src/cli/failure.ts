/** How a command ends when it cannot do what it was asked: one line on stderr, and an exit code. */
import { inspect } from "node:util";
import { CommanderError } from "commander";
import { DiskError, reasonOf } from "../errors.js";
import { oneLine, printable, shownName } from "../printable.js";

/** The command ran and something was wrong; `compare` and usage errors end with codes of their own. */
export const EXIT_FAILURE = 1;
/** The command line itself was wrong. */
export const EXIT_USAGE = 2;

/** What a command says to a person before it ends. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = EXIT_FAILURE, cause?: unknown) {
    super(oneLine(message), cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** The arguments do not go together. */
export function usageFailure(message: string): Failure {
  return new Failure(message, EXIT_USAGE);
}

/** Does something with a file; what goes wrong then says which file it was. */
export async function about<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw namingFile(path, error);
  }
}

function namingFile(path: string, error: unknown): unknown {
  if (error instanceof DiskError && !error.message.includes(printable(path)))
    return new DiskError(error.code, `${shownName(path)}: ${error.message}`, { ...error.details }, error);
  return error;
}

/** What is printed for an error: one line, or all there is to know with `debug`. */
export function describeError(error: unknown, debug: boolean): string {
  if (debug) return inspect(error).split("\n").map(printable).join("\n");
  return reasonOf(error).replace(/^error: /, "") + adviceFor(error);
}

/** What a person can do about what the operating system says. */
function adviceFor(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return " - free some space, or choose another place";
  return error.cause === undefined ? "" : adviceFor(error.cause);
}

/** What `name` ends with after an error: the codes of `compare` and `check` have meanings of their own. */
export function exitCodeOf(error: unknown, name: string | undefined): number {
  if (name === "compare") return 2; // 1 is "different"
  if (name === "check") return 1; // 2 is "corruption"
  if (error instanceof CommanderError) return EXIT_USAGE;
  return error instanceof Failure ? error.exitCode : EXIT_FAILURE;
}
