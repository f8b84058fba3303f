/** Files beside a file: there as a whole and for good, or not at all. */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { storageError } from "../errors.js";
import { syncDirectory } from "./directory.js";

/** Saves bytes in a new file beside the one at `path`, durably, its name included; answers its path. */
export function saveBeside(path: string, suffix: string, bytes: Uint8Array): string {
  for (let number = 1; ; number++) {
    const name = `${path}.${suffix}-${number}`;
    try {
      fill(name, fs.openSync(name, "wx"), bytes);
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST")
        throw storageError(`saving ${name}`, error, { path: name });
    }
  }
}

/** Fills a file that was just made; where that fails, none is left that could pass for a good one. */
function fill(name: string, fd: number, bytes: Uint8Array): void {
  try {
    try {
      fs.writeFileSync(fd, bytes);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    fs.rmSync(name, { force: true });
    throw error;
  }
  syncDirectory(dirname(name));
}
