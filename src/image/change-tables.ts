/**
 * Changes of header fields that the format extension has to follow: its bitmaps know the disk's size, and their clusters may
 * be in the way of a longer BAT. One write of the header shows both.
 */
import { DiskError } from "../errors.js";
import type { Operation } from "../operation.js";
import type { Image } from "./image.js";
import { changeHeader, type HeaderChanges } from "./mark.js";

/**
 * Changes header fields durably, and the extension with them. The caller keeps others from flushing.
 * @param above the host clusters below this one are to hold nothing of the extension afterwards
 */
export function* changeTables(image: Image, changes: HeaderChanges, _above = 0): Operation<void> {
  if (image.header.extensionOffset !== 0)
    throw new DiskError("UNSUPPORTED", "an image with a format extension cannot be changed so yet");
  yield* changeHeader(image, changes);
}
