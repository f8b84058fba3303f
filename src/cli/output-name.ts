/** Names of outputs: a name that promises another format than is made would deceive whoever opens the file later. */
import { recogniseName } from "../index.js";
import { usageFailure } from "./failure.js";

/** For `convert`, which makes both kinds. @param to the kind that was asked for, whatever the name @throws Failure */
export function requireConvertible(out: string, to: string | undefined): void {
  const promised = foreignName(out);
  if (to === undefined && promised !== undefined)
    throw deceiving(
      out,
      promised,
      "choose another name, or say --to raw or --to parallels to have that under this name",
    );
}

/** For what makes Parallels images only. @throws Failure */
export function requireImageName(out: string): void {
  const promised = foreignName(out) ?? (recogniseName(out)?.kind === "raw" ? "a raw disk" : undefined);
  if (promised !== undefined) throw deceiving(out, promised, "choose a name that ends in .hds");
}

/** For pictures. @throws Failure */
export function requirePictureName(out: string): void {
  const promised = foreignName(out) ?? (recogniseName(out) === undefined ? undefined : "a disk");
  if (promised !== undefined) throw deceiving(out, promised, "choose a name that ends in .svg");
}

/** What a name promises that is no disk's. */
function foreignName(out: string): string | undefined {
  const promised = recogniseName(out);
  return promised?.kind === "foreign" ? promised.name : undefined;
}

function deceiving(out: string, promised: string, advice: string): Error {
  return usageFailure(`${out} would be no such file: its name says that it is ${promised}; ${advice}`);
}
