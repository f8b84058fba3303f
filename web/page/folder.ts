/** Files and folders that a person drops or picks: which disk is meant. */
import type { Source } from "../shared/protocol.js";

/** A file and where it lies in what was given: "Windows.hdd/Windows.hdd.0.{...}.hds". */
export interface Found {
  path: string;
  file: File;
}

/** What is meant by files: the bundle that they are, or the one image among them. @throws Error with a sentence that says what to do */
export function sourceAmong(found: readonly Found[]): Source {
  if (found.length === 1) return { file: found[0].file };
  const folder = folderOf(found);
  const descriptor = found.find(({ file }) => file.name === "DiskDescriptor.xml");
  if (descriptor !== undefined) {
    const place = descriptor.path.slice(0, -descriptor.file.name.length);
    const beside = found.filter(({ path, file }) => path === place + file.name);
    const name =
      place.split("/").at(-2) ?? beside.find(({ file }) => /\.hdd$/i.test(file.name))?.file.name ?? "disk.hdd";
    return { bundle: name, files: beside.map(({ file }) => file) };
  }
  const images = found.filter(({ path }) => /\.hds$/i.test(path));
  if (images.length === 1) return { file: images[0].file };
  if (images.length === 0) {
    throw new Error(
      `${folder} holds no .hds file: choose a .hdd folder that Parallels Desktop made, or the image itself.`,
    );
  }
  throw new Error(
    `${folder} holds ${images.length} images, but no DiskDescriptor.xml that says how they belong together: choose the whole folder, or one of the .hds files alone.`,
  );
}

function folderOf(found: readonly Found[]): string {
  const [first = "", ...rest] = found.map(({ path }) => path.split("/")[0]);
  return first !== "" && rest.every((part) => part === first) && found[0].path.includes("/") ? first : "What you chose";
}

/** The files of an `<input type=file>`, of either kind. */
export function pickedFiles(input: HTMLInputElement): Found[] {
  return Array.from(input.files ?? [], (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** The files of a drop, those in folders among them. Call it while the event is handled: the browser forgets it after. */
export function droppedFiles(transfer: DataTransfer): Promise<Found[]> {
  const given = Array.from(transfer.items)
    .filter(({ kind }) => kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  return Promise.all(
    given.map(({ entry, file }) =>
      entry?.isDirectory
        ? filesIn(entry as FileSystemDirectoryEntry)
        : file === null
          ? []
          : [{ path: file.name, file }],
    ),
  ).then((lists) => lists.flat());
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<Found[]> {
  const lists: Found[][] = [];
  for (const entry of await entriesOf(folder)) {
    if (entry.isDirectory) lists.push(await filesIn(entry as FileSystemDirectoryEntry));
    else lists.push([{ path: entry.fullPath.replace(/^\//, ""), file: await fileOf(entry as FileSystemFileEntry) }]);
  }
  return lists.flat();
}

/** A reader answers a part of a folder at a time, and nothing when it is through. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
