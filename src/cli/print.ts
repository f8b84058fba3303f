/** Standard output: reports of any length, written in pieces that wait for the reader. */
import { once } from "node:events";
import { EXIT_FAILURE, Failure } from "./failure.js";

const PIECE_LENGTH = 64 * 1024;

/** Writes text to standard output; resolves when more may follow. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Prints a value as JSON. */
export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value, undefined, 2)}\n`);
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
  return fields.map(([label, value]) => `${`${label}:`.padEnd(width)}${value}\n`).join("");
}

/** Whoever reads our output may stop (`parablock map x | head`): there is nothing left to do then. */
export function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw outputFailure(error);
    process.exit(0);
  });
}

export function outputFailure(cause: Error): Failure {
  return new Failure(`writing to standard output failed: ${cause.message}`, EXIT_FAILURE, cause);
}
