/**
 * An open bundle: its folder, its descriptor, and the disks of it that are open. One verb at a time changes them; each
 * step of one leaves a bundle that reads right, whatever happens next: new files are durable before a descriptor names
 * them, the descriptor is replaced as a whole, and files go when it names them no more.
 */
import type { EngineKind } from "../engine/engine.js";
import { DiskError, fieldOf, reasonOf } from "../errors.js";
import type { Chain } from "../image/chain.js";
import { createFile, removeFile, renameFile, syncFolder } from "../medium/files.js";
import type { PreallocationOption } from "../medium/preallocation.js";
import { closeStorage, flushStorage, writeFully } from "../medium/transfer.js";
import { exclusively, Mutex } from "../mutex.js";
import { type Operation, quietly } from "../operation.js";
import type { Folder } from "../storage/folder.js";
import { type Descriptor, parseDescriptor } from "./descriptor.js";
import { decodeText } from "./encoding.js";
import { DESCRIPTOR_DRAFT, DESCRIPTOR_NAME } from "./file-names.js";
import type { Guid } from "./guid.js";
import { closeAll, Live } from "./live.js";
import { readDescriptor } from "./read-descriptor.js";
import {
  closeChain,
  closeSegment,
  type Face,
  openChain,
  openSegment,
  type Segment,
  type SegmentSettings,
} from "./segment.js";

export interface BundleSettings {
  readonly face: Face;
  readonly engine: EngineKind | undefined;
  readonly prealloc: PreallocationOption | undefined;
}

export class State {
  readonly folder: Folder;
  readonly settings: BundleSettings;
  descriptor: Descriptor;
  /** Every disk that is open, the one that is written among them. */
  readonly open = new Set<Live>();
  readonly #verbs: Mutex | undefined;

  constructor(folder: Folder, descriptor: Descriptor, settings: BundleSettings) {
    this.folder = folder;
    this.descriptor = descriptor;
    this.settings = settings;
    this.#verbs = settings.face.concurrent ? new Mutex("mark") : undefined;
  }

  /** Runs a verb when those before it have ended. */
  verb<T>(operation: () => Operation<T>): Operation<T> {
    return exclusively(this.#verbs, operation);
  }

  /** The settings of a segment that is written, or only read. */
  segmentSettings(readOnly: boolean): SegmentSettings {
    return { ...this.settings, readOnly };
  }

  /** The images of a snapshot in all storages as chains that are only read. */
  openChains(guid: Guid): Operation<Chain[]> {
    return this.#openParts(guid, true, openChain, closeChain);
  }

  /** Opens a snapshot's images in all storages. */
  *#openParts<Part>(
    guid: Guid,
    readOnly: boolean,
    open: (...given: Parameters<typeof openChain>) => Operation<Part>,
    close: (part: Part) => Operation<void>,
  ): Operation<Part[]> {
    const { descriptor, folder } = this;
    const settings = this.segmentSettings(readOnly);
    const chain = descriptor.graph.chainOf(guid);
    const parts: Part[] = [];
    try {
      for (const [index, storage] of descriptor.storages.entries()) {
        const images = chain.map((one) => descriptor.imageOf(index, one));
        parts.push(yield* open(folder, storage, images, settings));
      }
    } catch (error) {
      for (const part of parts) yield* quietly(close(part));
      throw error;
    }
    return parts;
  }

  /** Opens a disk; the one that is written is the only one of its kind. */
  *openDisk(guid: Guid, readOnly: boolean): Operation<Live> {
    if (!readOnly) this.#requireSingle(guid);
    const again = () => this.openDisk(readOnly ? guid : this.descriptor.topGuid, readOnly);
    let segments: Segment[];
    try {
      segments = yield* this.#openParts(guid, readOnly, openSegment, closeSegment);
    } catch (error) {
      if (fieldOf(error, "code") !== "NOT_FOUND") throw error;
      // Files go where somebody else changes the bundle.
      if (yield* this.#hasChanged()) return yield* again();
      throw missingImage(error);
    }
    try {
      if (!(yield* this.#hasChanged())) {
        const live = yield* Live.of(this.settings.face, guid, readOnly, segments);
        this.open.add(live);
        return live;
      }
    } catch (error) {
      yield* quietly(closeAll(segments));
      throw error;
    }
    yield* closeAll(segments);
    return yield* again();
  }

  /**
   * Whether somebody else has replaced the descriptor since it was read, which is asked once the images are locked: what
   * was the top may be a snapshot by now. Then the new one is ours.
   */
  *#hasChanged(): Operation<boolean> {
    if (this.folder.readOnly) return false;
    const { descriptor } = this;
    const bytes = yield* readDescriptor(this.folder);
    if (decodeText(bytes).text === descriptor.toString()) return false; // parsing a large one takes long
    this.descriptor = parseDescriptor(bytes, descriptor.options);
    return true;
  }

  /** The disk that is written, while there is one. */
  get written(): Live | undefined {
    for (const live of this.open) {
      if (live.closed) this.open.delete(live);
      else if (!live.readOnly) return live;
    }
    return undefined;
  }

  /** Runs a verb with the top open for writing, so that nobody else has it; closes it if nobody had opened it. */
  *withTop<T>(operation: (live: Live) => Operation<T>): Operation<T> {
    const { written } = this;
    if (written !== undefined) return yield* operation(written);
    const live = yield* this.openDisk(this.descriptor.topGuid, false);
    try {
      return yield* operation(live);
    } finally {
      yield* live.close();
    }
  }

  /** Nobody may read, by an own way, what a verb is about to change. @throws DiskError BUSY */
  requireUnread(guids: readonly Guid[]): void {
    for (const live of this.open) {
      if (live.closed || !live.readOnly) continue;
      const read = this.descriptor.graph.chainOf(live.guid).find((guid) => guids.includes(guid));
      if (read !== undefined)
        throw new DiskError("BUSY", `snapshot ${read} is being read: close the disk that shows ${live.guid} first`, {
          guid: read,
        });
    }
  }

  /** Replaces the descriptor, durably: whoever crashes meanwhile has the one or the other. */
  *publish(next: Descriptor): Operation<void> {
    const { folder } = this;
    yield* writeDescriptor(folder, next);
    yield* renameFile(folder, DESCRIPTOR_DRAFT, DESCRIPTOR_NAME);
    this.descriptor = next;
    yield* syncFolder(folder);
  }

  /** Removes files that nothing names any more: one that cannot be removed is left over, and found by a check. */
  *remove(names: readonly string[]): Operation<void> {
    const { folder } = this;
    for (const name of names) yield* quietly(removeFile(folder, name));
    yield* quietly(syncFolder(folder));
  }

  *close(): Operation<void> {
    for (const live of this.open) yield* live.close();
    this.open.clear();
  }

  #requireSingle(guid: Guid): void {
    if (guid !== this.descriptor.topGuid)
      throw new DiskError(
        "READ_ONLY",
        `snapshot ${guid} can only be read: open it with readOnly: true, or switch to it`,
        { guid },
      );
    if (this.written !== undefined)
      throw new DiskError("IN_USE", "the bundle's disk is open for writing already: close it first");
  }
}

/** Writes a descriptor under the name of a draft. */
function* writeDescriptor(folder: Folder, descriptor: Descriptor): Operation<void> {
  yield* quietly(removeFile(folder, DESCRIPTOR_DRAFT)); // a crash left it
  const storage = yield* createFile(folder, DESCRIPTOR_DRAFT);
  try {
    yield* writeFully(storage, descriptor.toBytes(), 0);
    yield* flushStorage(storage);
  } finally {
    yield* closeStorage(storage);
  }
}

function missingImage(cause: unknown): DiskError {
  const message = `an image of the bundle is not in its folder: ${reasonOf(cause)}; restore it from a backup`;
  return new DiskError("BAD_BUNDLE", message, { path: fieldOf(fieldOf(cause, "details"), "path") }, cause);
}
