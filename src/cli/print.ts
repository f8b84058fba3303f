/** Standard output: reports of any length, written in pieces that wait for the reader. */
import { printable } from "../printable.js";
import { EXIT_FAILURE, Failure } from "./failure.js";
import { wasClosed } from "./standard-streams.js";

const PIECE_LENGTH = 64 * 1024;

let outputClosed: boolean | undefined;

/** Writes text or bytes to standard output; resolves when they are on their way. @throws Failure where nobody gets them */
export async function print(content: string | Uint8Array): Promise<void> {
  requireOutput();
  await new Promise<void>((resolve, reject) =>
    process.stdout.write(content, (error) => {
      if (!error) resolve();
      else if (!isGone(error)) reject(outputFailure(error));
    }),
  );
}

/** For what does not wait: help and the version, which end the command. */
export function printNow(text: string): void {
  requireOutput();
  process.stdout.write(text, (error) => {
    if (error && !isGone(error)) throw outputFailure(error);
  });
}

/** For commands that change something before they print. @throws Failure if standard output is closed */
export function requireOutput(): void {
  outputClosed ??= wasClosed(1);
  if (outputClosed)
    throw new Failure(
      "standard output is closed: nobody would get what is printed; redirect it, to /dev/null at least",
    );
}

/** Prints a value as JSON. What a terminal would obey can only be in its texts, where it may be escaped. */
export function printJson(value: unknown): Promise<void> {
  const lines = JSON.stringify(value, undefined, 2).split("\n");
  return print(`${lines.map(printable).join("\n")}\n`);
}

/** Prints what comes, in large pieces. */
export async function printAll(texts: AsyncIterable<string>): Promise<void> {
  let piece = "";
  for await (const text of texts) {
    piece += text;
    if (piece.length < PIECE_LENGTH) continue;
    await print(piece);
    piece = "";
  }
  await print(piece);
}

/** "label:   value" lines, the values aligned. */
export function formatFields(fields: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...fields.map(([label]) => label.length)) + 3;
  return fields.map(([label, value]) => `${`${label}:`.padEnd(width)}${printable(value)}\n`).join("");
}

/**
 * Whoever reads our output may stop (`parablock map x | head`): there is nothing left to do then, and the exit code is
 * what was found so far. Other errors are those of the write that failed. What cannot be said on standard error is not said.
 */
export function endWithReader(): void {
  process.stdout.on("error", (error) => {
    if (isGone(error)) process.exit();
  });
  process.stderr.on("error", () => {});
}

/** Whether an error says that nobody reads any more. */
function isGone(error: NodeJS.ErrnoException): boolean {
  return error.code === "EPIPE";
}

function outputFailure(cause: Error): Failure {
  return new Failure(`writing to standard output failed: ${cause.message}`, EXIT_FAILURE, cause);
}
