/** A bundle's descriptor as the folder has it now. */
import { DiskError, fieldOf } from "../errors.js";
import { openFile } from "../medium/files.js";
import { closeStorage, readUpTo, sizeOf } from "../medium/transfer.js";
import type { Operation } from "../operation.js";
import type { Folder } from "../storage/folder.js";
import type { Storage } from "../storage/storage.js";
import { DESCRIPTOR_NAME } from "./file-names.js";

/** More than any descriptor has; what is longer is refused where it is parsed. */
const MAX_DESCRIPTOR_SIZE = 16 * 1024 * 1024;

/** Its bytes. @throws DiskError NOT_FOUND */
export function* readDescriptor(folder: Folder): Operation<Uint8Array> {
  let storage: Storage;
  try {
    storage = yield* openFile(folder, DESCRIPTOR_NAME, { readOnly: true, share: true });
  } catch (error) {
    if (fieldOf(error, "code") !== "NOT_FOUND") throw error;
    throw new DiskError(
      "NOT_FOUND",
      `${folder.path ?? "the folder"} is no bundle: it has no ${DESCRIPTOR_NAME}; name the folder that has one`,
      { name: DESCRIPTOR_NAME },
      error,
    );
  }
  try {
    const size = yield* sizeOf(storage);
    const bytes = new Uint8Array(Math.min(size, MAX_DESCRIPTOR_SIZE + 1));
    return bytes.subarray(0, yield* readUpTo(storage, bytes, 0));
  } finally {
    yield* closeStorage(storage);
  }
}
