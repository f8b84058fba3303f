/**
 * A folder that can lose power: its files are CrashStorages, its names are as volatile as their bytes.
 *
 * The model. Making, renaming and removing a file changes the names at once, for everybody who looks; a sync makes the
 * names durable, nothing else does, and it makes no byte durable. Of the changes since the last sync any subset
 * survives, in their order, as long as each finds the file under the name that it takes away and, where it makes a
 * file, the name free. A rename is one change: the name leads to the one file or to the other. What a surviving name
 * leads to is what may be left of that file's bytes: of one that was never flushed maybe nothing, maybe a torn part.
 * This is harsher than journaling file systems are (they keep changes of names in order, some flush what a rename puts
 * in the place of another file), not harsher than the interface's contract. What is saved beside a file is durable at
 * once, name and bytes, as the contract says.
 */
import { DiskError } from "../../src/errors.js";
import {
  type FolderOpenOptions,
  type FolderSync,
  requireFileName,
  requireOpenOptions,
} from "../../src/storage/folder.js";
import { forward } from "../../src/storage/forward.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { Uses } from "../../src/storage/uses.js";
import { CrashStorage, type Features } from "./crash-storage.js";

/** A file, whatever its name. */
export interface CrashFile {
  readonly id: number;
  readonly storage: CrashStorage;
}

export type Names = ReadonlyMap<string, CrashFile>;

/** A change of names that is not durable yet. */
export interface NameChange {
  /** The request's number, in the same count as those of the files. */
  request: number;
  file: CrashFile;
  /** The name that it takes away; undefined where it makes a file. */
  from: string | undefined;
  /** The name that it gives; undefined where it removes the file. */
  to: string | undefined;
}

export class CrashFolder implements FolderSync {
  /** Told after every request that changes something, and after flushes and syncs. */
  onChange: (() => void) | undefined;
  /** What was asked, one line a request. */
  readonly log: string[] = [];
  readonly #features: Features;
  readonly #uses = new Uses();
  readonly #names = new Map<string, CrashFile>();
  #durable: Map<string, CrashFile>;
  #changes: NameChange[] = [];
  #requests = 0;
  #files = 0;

  /** Starts with these files, durable, content and name. */
  constructor(files: Iterable<readonly [name: string, content: Uint8Array]>, features: Features) {
    this.#features = features;
    for (const [name, content] of files) this.#names.set(name, this.#file(name, content));
    this.#durable = new Map(this.#names);
  }

  /** What there is for whoever looks while the power stays on. */
  get names(): Names {
    return this.#names;
  }

  /** The names as the last sync left them. */
  get durable(): Names {
    return this.#durable;
  }

  /** Changes of names since the last sync, in their order. */
  get changes(): readonly NameChange[] {
    return this.#changes;
  }

  list(): string[] {
    return [...this.#names.keys()];
  }

  open(name: string, options: FolderOpenOptions = {}): StorageSync {
    const { readOnly, share } = requireOpenOptions(options);
    const { storage } = this.#named(name);
    return this.#opened(name, storage, readOnly, share ? () => {} : this.#uses.take(name, readOnly));
  }

  create(name: string): StorageSync {
    requireFileName(name);
    if (this.#names.has(name)) throw new DiskError("EXISTS", `${name} exists already`);
    const file = this.#file(name, new Uint8Array());
    this.#change(`create ${name}`, { file, from: undefined, to: name });
    return this.#opened(name, file.storage, false, this.#uses.take(name, false));
  }

  rename(from: string, to: string): void {
    const file = this.#named(from);
    requireFileName(to);
    this.#uses.requireFree(from, to);
    if (from !== to) this.#change(`rename ${from} to ${to}`, { file, from, to });
  }

  remove(name: string): void {
    const file = this.#named(name);
    this.#uses.requireFree(name);
    this.#change(`remove ${name}`, { file, from: name, to: undefined });
  }

  sync(): void {
    this.log.push("sync");
    this.#durable = new Map(this.#names);
    this.#changes = [];
    this.onChange?.();
  }

  /** What a program finds that looks next while the power stays on. */
  contents(): Map<string, Uint8Array> {
    return new Map(Array.from(this.#names, ([name, { storage }]) => [name, storage.cached()]));
  }

  #named(name: string): CrashFile {
    requireFileName(name);
    const file = this.#names.get(name);
    if (file === undefined) throw new DiskError("NOT_FOUND", `${name} does not exist`);
    return file;
  }

  #change(line: string, change: Omit<NameChange, "request">): void {
    const request = ++this.#requests;
    this.log.push(`${request}: ${line}`);
    this.#changes.push({ request, ...change });
    apply(this.#names, this.#changes.at(-1)!);
    this.onChange?.();
  }

  #file(name: string, content: Uint8Array): CrashFile {
    const storage = new CrashStorage(content, this.#features, () => ++this.#requests);
    let logged = 0;
    storage.onChange = () => {
      for (const line of storage.log.slice(logged)) this.log.push(`${line} (a file made as ${name})`);
      logged = storage.log.length;
      this.onChange?.();
    };
    return { id: this.#files++, storage };
  }

  #opened(path: string, storage: CrashStorage, readOnly: boolean, release: () => void): StorageSync {
    let open = true;
    const requireOpen = () => {
      if (!open) throw new DiskError("CLOSED", `${path} is closed`);
    };
    const refuse = (): never => {
      throw new DiskError("READ_ONLY", `${path} is open for reading only`);
    };
    const close = () => {
      requireOpen();
      open = false;
      release();
    };
    const saveBeside = (suffix: string, bytes: Uint8Array) => this.#saveBeside(path, suffix, bytes);
    const reading = readOnly ? { write: refuse, truncate: refuse, punch: undefined, allocate: undefined } : {};
    return forward(storage, { path, readOnly, close, saveBeside, ...reading }, requireOpen);
  }

  #saveBeside(path: string, suffix: string, bytes: Uint8Array): string {
    const names = Array.from({ length: this.#names.size + 1 }, (_, index) => `${path}.${suffix}-${index + 1}`);
    const name = names.find((candidate) => !this.#names.has(candidate))!;
    const file = this.#file(name, bytes);
    for (const map of [this.#names, this.#durable]) map.set(name, file);
    this.log.push(`save ${name}`);
    return name;
  }
}

/** Makes a change of names, where it can be made. */
export function apply(names: Map<string, CrashFile>, { file, from, to }: NameChange): void {
  if (from === undefined ? names.has(to!) : names.get(from) !== file) return;
  if (from !== undefined) names.delete(from);
  if (to !== undefined) names.set(to, file);
}
