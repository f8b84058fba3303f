/**
 * What tests run in a worker of either browser, on OPFS. Each function is sent as text: it knows only its argument and
 * the globals of the worker, `library` among them.
 */

type Failure = { code: string; message: string };
type State = { disk: import("../../src/index.js").DiskSync; written: number[] };

/** Paths that not every browser takes. */
export const BAD_PATHS = [
  "..",
  "../x",
  "a/../x",
  ".",
  "",
  "/",
  "a\0b",
  "back\\slash",
  "x".repeat(256),
  "é".repeat(128),
];

/** Tries paths; answers what the errors of those that failed say. */
export async function openAll(paths: readonly string[]): Promise<{ name: string; message: string }[]> {
  const failures: { name: string; message: string }[] = [];
  for (const path of paths) {
    await library.OpfsStorage.open(path, { create: "replace" }).then(
      (storage) => storage.close(),
      ({ name, message }) => void failures.push({ name, message }),
    );
  }
  return failures;
}

/** Uses up the quota with the storage alone: by growing it in one go, and by writes. */
export async function writeUntilFull(): Promise<{ truncated: Failure | undefined; written: Failure }> {
  const storage = await library.OpfsStorage.open("full", { create: "replace" });
  const failureOf = (work: () => void): Failure | undefined => {
    try {
      work();
      return undefined;
    } catch (error) {
      const { code, message } = error as Failure;
      return { code, message };
    }
  };
  const truncated = failureOf(() => storage.truncate(2 ** 30));
  storage.truncate(0);
  let written: Failure | undefined;
  const bytes = new Uint8Array(2 ** 20).fill(7);
  for (let at = 0; written === undefined; ) {
    written = failureOf(() => {
      at += storage.write(bytes, at);
    });
  }
  storage.truncate(0);
  storage.close();
  return { truncated, written };
}

/** Writes blocks to a disk until there is no room for one. */
export async function fillDisk(): Promise<Failure & { count: number }> {
  const storage = await library.OpfsStorage.open("quota.hds", { create: "replace" });
  const disk = library.DiskSync.create(storage, { size: 2 ** 28, clusterSize: 2 ** 16 });
  const written: number[] = [];
  Object.assign(globalThis, { disk, written });
  for (let index = 0; ; index++) {
    try {
      disk.write(new Uint8Array(100_000).fill(1 + (index % 255)), index * 100_000);
      written.push(index);
    } catch (error) {
      const { code, message } = error as Failure;
      return { code, message, count: written.length };
    }
  }
}

/** Discards the first four blocks that are left and writes others, beginning with the one that there was no room for. */
export async function goOn(count: number): Promise<string> {
  const { disk, written } = globalThis as unknown as State;
  disk.discard(written[0] * 100_000, 400_000);
  written.splice(0, 4);
  disk.flush();
  for (let more = 0; more < count; more++) {
    const index = written.at(-1)! + 1;
    disk.write(new Uint8Array(100_000).fill(1 + (index % 255)), index * 100_000);
    written.push(index);
  }
  disk.flush();
  return "went on";
}

/** Closes the disk, opens it again, and counts the blocks that are not what was written there last. */
export async function reopenAndCompare(): Promise<{ wrong: number; corruptions: number; leaks: number }> {
  const { disk, written } = globalThis as unknown as State;
  disk.close();
  const again = library.DiskSync.open(await library.OpfsStorage.open("quota.hds"));
  const bytes = new Uint8Array(100_000);
  let wrong = 0;
  for (const index of written) {
    again.read(bytes, index * 100_000);
    if (!bytes.every((byte) => byte === 1 + (index % 255))) wrong++;
  }
  const { corruptions, leaks } = again.check();
  again.close();
  return { wrong, corruptions, leaks };
}
