/** Opening a bundle by its descriptor, and making a new one: the descriptor comes last, as half a bundle is none. */
import { DiskError } from "../errors.js";
import type { Format } from "../format/header.js";
import { createImage } from "../image/create.js";
import { createFile, listFiles, removeFile, syncFolder } from "../medium/files.js";
import { closeStorage, flushStorage, truncate } from "../medium/transfer.js";
import { type Operation, quietly } from "../operation.js";
import type { Folder } from "../storage/folder.js";
import type { Storage } from "../storage/storage.js";
import { parseDescriptor } from "./descriptor.js";
import { DESCRIPTOR_NAME } from "./file-names.js";
import { type NewBundle, newDescriptor } from "./new-descriptor.js";
import { readDescriptor } from "./read-descriptor.js";
import { type BundleSettings, State } from "./state.js";

/** Opens a bundle; nothing but its descriptor is read yet. */
export function* openBundle(
  folder: Folder,
  settings: BundleSettings,
  { allowAbsolute = false }: { allowAbsolute?: boolean | undefined },
): Operation<State> {
  const bytes = yield* readDescriptor(folder);
  return new State(folder, parseDescriptor(bytes, { allowAbsolute }), settings);
}

/** Makes a bundle in a folder that has none. */
export function* createBundle(
  folder: Folder,
  settings: BundleSettings,
  bundle: NewBundle & { format: Format },
): Operation<State> {
  const descriptor = newDescriptor(bundle);
  const names = yield* listFiles(folder);
  if (names.includes(DESCRIPTOR_NAME))
    throw new DiskError("EXISTS", `${folder.path ?? "the folder"} has a bundle already: choose another folder`, {});
  const made: string[] = [];
  try {
    yield* makeFile(folder, `${bundle.name}.hdd`, made, flushStorage);
    for (const { start, end, clusterSize, images } of descriptor.storages)
      for (const { file, type } of images)
        yield* makeFile(folder, file, made, function* (storage) {
          if (type === "expandable")
            return yield* createImage(storage, { size: end - start, clusterSize, format: bundle.format });
          yield* truncate(storage, end - start);
          yield* flushStorage(storage);
        });
    yield* syncFolder(folder);
    const state = new State(folder, descriptor, settings);
    yield* state.publish(descriptor);
    return state;
  } catch (error) {
    for (const name of made) yield* quietly(removeFile(folder, name));
    throw error;
  }
}

/** Makes a file and has it filled; it is durable then. */
function* makeFile(
  folder: Folder,
  name: string,
  made: string[],
  fill: (storage: Storage) => Operation<void>,
): Operation<void> {
  const storage = yield* createFile(folder, name);
  made.push(name);
  try {
    yield* fill(storage);
  } finally {
    yield* closeStorage(storage);
  }
}
