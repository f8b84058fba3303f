/** Directories: the names in one, and names that survive a loss of power. */
import * as fs from "node:fs";
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { storageError } from "../errors.js";

/** None where it cannot be read. */
export function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * Makes the names in a directory durable: a file's own flush answers for its bytes alone. Where the platform has no
 * such thing, as Windows, or the directory may not be read, there is nothing to be done. @throws DiskError IO
 */
export function syncDirectory(directory: string): void {
  const fd = openDirectory(directory);
  if (fd === undefined) return;
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    requireNoSuchThing(directory, error);
  } finally {
    fs.closeSync(fd);
  }
}

/** `syncDirectory` in the system's own time. */
export function syncDirectoryLater(directory: string): Promise<void> {
  const fd = openDirectory(directory);
  if (fd === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => {
      try {
        fs.closeSync(fd);
        if (error) requireNoSuchThing(directory, error);
        resolve();
      } catch (thrown) {
        reject(thrown);
      }
    });
  });
}

function openDirectory(directory: string): number | undefined {
  try {
    return fs.openSync(directory, fs.constants.O_RDONLY | (fs.constants.O_DIRECTORY ?? 0));
  } catch {
    return undefined;
  }
}

/** Whether an error says that the platform syncs no directories. @throws DiskError where it says anything else */
function requireNoSuchThing(directory: string, error: unknown): void {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (!["EINVAL", "ENOTSUP", "EPERM", "EISDIR"].includes(code))
    throw storageError(`making the names in ${directory} durable`, error, { path: directory });
}

const MAX_LINKS = 40;

/**
 * Where a path leads: through symbolic links, also one whose target is still to be made. As the system goes, "up" being
 * up from where a link has led: not by the names alone.
 */
export function realTarget(path: string): string {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    target = join(realDirectory(dirname(target)), basename(target));
    if (!fs.lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink()) return target;
    const link = fs.readlinkSync(target);
    target = isAbsolute(link) ? link : `${dirname(target)}${sep}${link}`;
  }
  throw storageError(`following ${path}`, new Error("too many symbolic links"), { path });
}

function realDirectory(directory: string): string {
  try {
    return fs.realpathSync.native(directory);
  } catch {
    return resolve(directory); // what is missing is found out where something is made in it
  }
}
