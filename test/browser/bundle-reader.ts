/** Runs in a worker: reads bundles of the site from memory at once, from OPFS, and from files as a user picks them. */
import { Bundle, BundleSync } from "../../src/bundle.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { OpfsFolder } from "../../src/storage/opfs-folder.js";
import { PickedFolder } from "../../src/storage/picked-folder.js";

async function contentsOf(bundle: Bundle | BundleSync): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const { guid } of bundle.snapshots) {
    const disk = await bundle.openDisk({ snapshot: guid, readOnly: true });
    const bytes = new Uint8Array(disk.size).fill(0xa5);
    await disk.read(bytes, 0);
    await disk.close();
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    contents[guid] = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  await bundle.close();
  return contents;
}

const bundleReader = {
  /** The SHA-256 of each snapshot, or the code and message of the refusal, one for each way to read it. */
  async read(name: string, names: string[], engine: "wasm" | "js"): Promise<unknown[]> {
    const files: File[] = [];
    for (const file of names) {
      const answer = await fetch(`/${name}/${encodeURIComponent(file)}`);
      files.push(new File([await answer.arrayBuffer()], file));
    }
    const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
    for (const file of files) {
      const stream = await (await directory.getFileHandle(file.name, { create: true })).createWritable();
      await stream.write(file);
      await stream.close();
    }
    const contents = Promise.all(files.map(async (file) => [file.name, await file.arrayBuffer()] as const));
    const ways: (() => Promise<Bundle | BundleSync>)[] = [
      async () => BundleSync.open(new MemoryFolder(await contents), { engine }),
      async () => Bundle.open(await OpfsFolder.open(name), { engine }),
      async () => Bundle.open(new PickedFolder(files), { engine }),
    ];
    const answers: unknown[] = [];
    for (const open of ways)
      answers.push(
        await open()
          .then(contentsOf)
          .catch(({ code, message }) => ({ code, message })),
      );
    return answers;
  },
};

declare global {
  var reader: typeof bundleReader;
}

globalThis.reader = bundleReader;
