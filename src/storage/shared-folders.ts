/**
 * Folders for the lock files of all processes of a machine, whoever runs them: anybody may put files in, only their
 * owners take them out. They are the same for every process, so no variable of its environment names them.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAME = "parablock-locks";
const FOR_ALL = 0o1777;

/** Several, as each has somebody who tidies it up: what was not used for days, what belongs to who has logged out. */
function bases(): string[] {
  if (process.platform === "win32") return [process.env.ProgramData ?? tmpdir()];
  return process.platform === "linux" ? ["/dev/shm", "/tmp"] : ["/tmp"];
}

/** Those that are there, or can be made where `make` says so. */
export function sharedFolders(make: boolean): string[] {
  return bases()
    .map((base) => join(base, NAME))
    .filter((folder) => isFolder(folder) || (make && makeFolder(folder)));
}

/** A link might lead anywhere. */
function isFolder(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** It appears with its rights: who came in between could not put a file in. */
function makeFolder(folder: string): boolean {
  let made: string | undefined;
  try {
    made = fs.mkdtempSync(`${folder}-`);
    fs.chmodSync(made, FOR_ALL);
    fs.renameSync(made, folder);
    return true;
  } catch {
    if (made !== undefined) fs.rmSync(made, { recursive: true, force: true });
    return isFolder(folder); // somebody else was quicker
  }
}
