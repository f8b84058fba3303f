/** Files and folders that a person drops or picks: which image is meant. */

/** A file and where it lies in what was given: "Windows.hdd/Windows.hdd.0.{...}.hds". */
export interface Found {
  path: string;
  file: File;
}

/** The one image among files. @throws Error with a sentence that says what to do, where there is none or more than one */
export function imageAmong(found: readonly Found[]): File {
  if (found.length === 1) return found[0].file;
  const images = found.filter(({ path }) => /\.hds$/i.test(path));
  const folder = folderOf(found);
  if (images.length === 1) return images[0].file;
  if (images.length === 0) {
    throw new Error(
      `${folder} holds no .hds file: choose a .hdd folder that Parallels Desktop made, or the image itself.`,
    );
  }
  throw new Error(
    `${folder} holds ${images.length} images that belong together (snapshots, or a split disk), and such a disk cannot be opened yet: merge its snapshots in Parallels Desktop, or choose one of the .hds files alone.`,
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
