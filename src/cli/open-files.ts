/** The files that a command has open: they are closed, and their lock files removed, whatever ends the command. */
import { type FileOptions, FileStorage } from "../storage/file.js";

interface Closable {
  close(): Promise<void>;
}

const opened = new Set<FileStorage>();

/** Opens a file as `FileStorage.open` does. One that is still open when the process ends is closed then. */
export async function openStorage(path: string, options?: FileOptions): Promise<FileStorage> {
  const storage = await FileStorage.open(path, options);
  if (opened.size === 0) process.once("exit", closeAll);
  opened.add(storage);
  return storage;
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
