/**
 * Standard output: reports of any length, written in pieces that wait for the reader. They are written as to a file:
 * Node's stream for it takes longer to load than most commands run. It is left for what it alone can do: terminals of
 * Windows, and pipes that somebody has set not to wait.
 */
import { fstatSync, write, writeSync } from "node:fs";
import { printable } from "../printable.js";
import { EXIT_FAILURE, Failure } from "./failure.js";
import { wasClosed } from "./standard-streams.js";

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
/** What a pipe takes at once: while more is written other things go on. */
const AT_ONCE = 64 * 1024;

let outputClosed: boolean | undefined;
let byStream = process.platform === "win32";

/** Writes text or bytes to standard output; resolves when they are on their way. @throws Failure where nobody gets them */
export async function print(content: string | Uint8Array): Promise<void> {
  requireOutput();
  let rest = typeof content === "string" ? Buffer.from(content) : content;
  while (rest.length > 0 && !byStream) {
    try {
      rest = rest.subarray(rest.length > AT_ONCE ? await writeLong(rest) : writeSync(STANDARD_OUTPUT, rest));
    } catch (error) {
      endWhereGone(error);
      if (!mustWait(error)) throw outputFailure(error);
      byStream = true;
    }
  }
  if (rest.length > 0) await new Promise<void>((resolve, reject) => writeToStream(rest, resolve, reject));
}

/** For what does not wait: help and the version, which end the command. */
export function printNow(text: string): void {
  requireOutput();
  const fail = (failure: Failure) => {
    throw failure;
  };
  writeToStream(text, () => {}, fail);
}

const writeLong = (bytes: Uint8Array): Promise<number> =>
  new Promise((resolve, reject) =>
    write(STANDARD_OUTPUT, bytes, (error, written) => (error ? reject(error) : resolve(written))),
  );

function writeToStream(content: string | Uint8Array, done: () => void, fail: (failure: Failure) => void): void {
  const { stdout } = process;
  if (stdout.listenerCount("error") === 0) stdout.on("error", endWhereGone);
  stdout.write(content, (error) => {
    if (!error) done();
    else if (!isGone(error)) fail(outputFailure(error));
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

/** "label:   value" lines, the values aligned. */
export function formatFields(fields: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...fields.map(([label]) => label.length)) + 3;
  return fields.map(([label, value]) => `${`${label}:`.padEnd(width)}${printable(value)}\n`).join("");
}

/** Whether somebody sees what is written there; asked without loading a stream where it is a file or a pipe. */
export function isTerminal(stream: "stdout" | "stderr"): boolean {
  return fstatSync(stream === "stdout" ? STANDARD_OUTPUT : STANDARD_ERROR).isCharacterDevice() && process[stream].isTTY;
}

/** Standard error, for warnings, errors and bars. What cannot be said there is not said. */
export function errorOutput(): NodeJS.WriteStream {
  const { stderr } = process;
  if (stderr.listenerCount("error") === 0) stderr.on("error", () => {});
  return stderr;
}

/**
 * Whoever reads our output may stop (`parablock map x | head`): there is nothing left to do then, and the exit code is
 * what was found so far.
 */
function endWhereGone(error: unknown): void {
  if (isGone(error)) process.exit();
}

/** Whether an error says that nobody reads any more. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EPIPE";
}

/** Whether the system would have us wait until the reader has read. */
function mustWait(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EAGAIN";
}

function outputFailure(cause: unknown): Failure {
  return new Failure(`writing to standard output failed: ${(cause as Error).message}`, EXIT_FAILURE, cause);
}
