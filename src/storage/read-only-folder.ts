/** Folders in which nothing can be changed: what they refuse. */
import type { Folder, FolderOpenOptions } from "./folder.js";
import { requireFileName } from "./folder.js";
import { readOnlyError } from "./folder-errors.js";
import type { Storage } from "./storage.js";

export abstract class ReadOnlyFolder implements Folder {
  readonly path: string;
  readonly readOnly = true;

  protected constructor(path: string) {
    this.path = path;
  }

  abstract list(): string[] | Promise<string[]>;
  abstract open(name: string, options?: FolderOpenOptions): Storage | Promise<Storage>;

  create(name: string): never {
    requireFileName(name);
    throw readOnlyError(this.path);
  }

  rename(from: string, to: string): never {
    requireFileName(from);
    requireFileName(to);
    throw readOnlyError(this.path);
  }

  remove(name: string): never {
    requireFileName(name);
    throw readOnlyError(this.path);
  }

  /** Nothing was changed. */
  sync(): void {}
}
