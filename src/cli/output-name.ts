/** Names of outputs: a name that promises another format than is made would deceive whoever opens the file later. */
import { promisedBy } from "../format/foreign.js";
import { usageFailure } from "./failure.js";
import { kindByName } from "./kind.js";

/** For `convert`, which makes both kinds. @param to the kind that was asked for, whatever the name @throws Failure */
export function requireConvertible(out: string, to: string | undefined): void {
  const promised = promisedBy(out);
  if (to === undefined && promised !== undefined)
    throw deceiving(
      out,
      promised.name,
      "choose another name, or say --to raw or --to parallels to have that under this name",
    );
}

/** For what makes Parallels images only. @throws Failure */
export function requireImageName(out: string): void {
  const promised = promisedBy(out)?.name ?? (kindByName(out) === "raw" ? "a raw disk" : undefined);
  if (promised !== undefined) throw deceiving(out, promised, "choose a name that ends in .hds");
}

/** For pictures. @throws Failure */
export function requirePictureName(out: string): void {
  const promised = promisedBy(out)?.name ?? (kindByName(out) === undefined ? undefined : "a disk");
  if (promised !== undefined) throw deceiving(out, promised, "choose a name that ends in .svg");
}

function deceiving(out: string, promised: string, advice: string): Error {
  return usageFailure(`${out} would be no such file: its name says that it is ${promised}; ${advice}`);
}
