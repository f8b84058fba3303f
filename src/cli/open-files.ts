/** The files that a command has open: they are closed, and their lock files removed, whatever ends the command. */
import { type FileOptions, FileStorage } from "../node.js";
import { PATIENCE, type Progress, withProgress } from "./progress.js";

interface Closable {
  close(): Promise<void>;
}

/** Up to so many bytes are read before a thread of the pool would have begun to. */
const SMALL = 256 * 1024;

/** How long reads go on without a turn of the event loop, in ms: signals, timers and progress wait meanwhile. */
const SPELL = 12;

/** A file that tells how far it is read. Of what is in the page cache a little is read at once. */
export class WatchedFile extends FileStorage {
  onRead: (end: number) => void = () => {};
  /** When a thread of the pool read for it last: the event loop had its turn then. */
  #turned = 0;

  static override async open(path: string, options: FileOptions = {}): Promise<WatchedFile> {
    return new WatchedFile(path, options);
  }

  override async read(buffer: Uint8Array, offset: number): Promise<number> {
    this.onRead(offset + buffer.length);
    const now = Date.now(); // Node loads a module for `performance`
    const passed = now - this.#turned;
    if (buffer.length <= SMALL && passed >= 0 && passed < SPELL) {
      const got = this.readCached(buffer, offset);
      if (got !== undefined) return got;
    }
    this.#turned = now;
    return super.read(buffer, offset);
  }
}

const opened = new Set<FileStorage>();

/** Opens a file as `FileStorage.open` does. One that is still open when the process ends is closed then. */
export async function openStorage(path: string, options?: FileOptions): Promise<WatchedFile> {
  return keepTrack(await WatchedFile.open(path, options));
}

/** Has a file closed when the process ends while it is still open. */
export function keepTrack<T extends FileStorage>(storage: T): T {
  if (opened.size === 0) process.once("exit", closeAll);
  opened.add(storage);
  return storage;
}

/** Shows how far a file is read while something is done with it. */
export async function showing<R>(title: string, storage: WatchedFile, work: () => Promise<R>): Promise<R> {
  const watch = (progress: Progress) => {
    storage.onRead = (end) => progress.update(end);
    return work().finally(() => {
      storage.onRead = () => {};
    });
  };
  return withProgress(title, await storage.size(), watch, PATIENCE);
}

/** Does something with what is open, then closes it. */
export async function closing<T extends Closable, R>(thing: T, work: (thing: T) => Promise<R> | R): Promise<R> {
  const result = await orClose(thing, async () => work(thing));
  await thing.close();
  return result;
}

/** Does something; if it fails, closes what nobody holds then. The first error says more than a second one. */
export async function orClose<R>(thing: Closable | undefined, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    await thing?.close().catch(() => {});
    throw error;
  }
}

/** Nothing waits any more at the end: a lock is given up at once, and what is closed already says so. */
function closeAll(): void {
  for (const storage of opened) {
    storage.close().catch(() => {});
    storage.unlock(); // requests that are under way are not waited for
  }
}
