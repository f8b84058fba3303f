/**
 * What the verbs make of a descriptor: the one that is to replace it, and the files that nothing leads to then. Pure: the
 * order of writes - new files durable, descriptor by rename, files gone - is the verbs' (docs/bundles.md).
 */
import { DiskError } from "../errors.js";
import { quote } from "../printable.js";
import { type Descriptor, parseDescriptor } from "./descriptor.js";
import { Edit } from "./edit.js";
import { isAbsolute } from "./file-names.js";
import { type Guid, NO_GUID } from "./guid.js";
import type { BundleImage } from "./parts.js";
import type { XmlElement } from "./xml.js";

/** A change of a bundle. */
export interface Plan {
  readonly descriptor: Descriptor;
  /** Files of the bundle that no image has any more: to be removed once the descriptor is durable. */
  readonly removed: readonly string[];
}

/** Which of two files a merge keeps. */
export type MergeTarget = "parent-file" | "child-file";

/**
 * Takes a snapshot: what was the top goes on as a snapshot under a new GUID, in its files; above it the top is empty.
 * @param files the new images' files, one for each storage, in order
 */
export function withSnapshot(descriptor: Descriptor, oldTop: Guid, files: readonly string[]): Plan {
  requireFiles(descriptor, files);
  if (descriptor.graph.has(oldTop))
    throw new RangeError(`oldTop: expected a GUID that no snapshot has, got ${quote(oldTop)}`);
  const { topGuid } = descriptor;
  const { shots } = descriptor.places;
  const edit = new Edit(descriptor.toString());
  edit.setField(shotOf(descriptor, topGuid), "GUID", oldTop);
  edit.addAfter([...shots.values()].at(-1)!, { GUID: topGuid, ParentGUID: oldTop });
  for (const [index, { images, last }] of descriptor.places.storages.entries()) {
    edit.setField(elementOf(images, topGuid), "GUID", oldTop);
    edit.addAfter(last!, { GUID: topGuid, Type: "Compressed", File: files[index] });
  }
  return planOf(descriptor, edit);
}

/**
 * Deletes a snapshot. Where another one stands on it, their images have become one beforehand, in either's file.
 * @param target which file has what both had; counts for nothing where nothing stands on the snapshot
 */
export function withoutSnapshot(descriptor: Descriptor, guid: Guid, target: MergeTarget): Plan {
  const deletion = descriptor.graph.deletionOf(guid);
  const edit = new Edit(descriptor.toString());
  edit.remove(shotOf(descriptor, guid));
  if (deletion.kind === "merge") {
    const parent = descriptor.graph.parentOf(guid) ?? NO_GUID;
    edit.setField(shotOf(descriptor, deletion.child), "ParentGUID", parent);
  }
  for (const { images } of descriptor.places.storages) {
    const own = elementOf(images, guid);
    if (deletion.kind === "merge" && target === "parent-file") {
      edit.remove(elementOf(images, deletion.child));
      edit.setField(own, "GUID", deletion.child); // the element tells of the file, so it stays with the file
    } else edit.remove(own);
  }
  return planOf(descriptor, edit);
}

/** A snapshot goes, but its images stay in the chain of those that stand on it: under another GUID, and marked as temporary. */
export function asTemporary(descriptor: Descriptor, guid: Guid, temporary: Guid): Plan {
  const { graph, places } = descriptor;
  const edit = new Edit(descriptor.toString());
  const shot = shotOf(descriptor, guid);
  edit.setField(shot, "GUID", temporary);
  edit.setField(shot, "Temporary", "1");
  for (const child of graph.childrenOf(guid)) edit.setField(shotOf(descriptor, child), "ParentGUID", temporary);
  for (const { images } of places.storages) edit.setField(elementOf(images, guid), "GUID", temporary);
  return planOf(descriptor, edit);
}

/**
 * Goes back to a snapshot: the top's images are dropped, empty ones stand above that snapshot.
 * @param files the new images' files, one for each storage, in order
 */
export function switchedTo(descriptor: Descriptor, guid: Guid, files: readonly string[]): Plan {
  requireFiles(descriptor, files);
  const { graph, topGuid, places } = descriptor;
  graph.parentOf(guid); // says that there is no such snapshot
  if (guid === topGuid)
    throw new DiskError("UNSUPPORTED", `${guid} is the top: choose the snapshot to go back to`, { guid });
  const edit = new Edit(descriptor.toString());
  edit.setField(shotOf(descriptor, topGuid), "ParentGUID", guid);
  for (const [index, { images }] of places.storages.entries()) {
    const element = elementOf(images, topGuid);
    edit.setField(element, "Type", "Compressed");
    edit.setField(element, "File", files[index]);
  }
  return planOf(descriptor, edit);
}

/** The descriptor of the changed text is judged like any other; what it no longer names is to go. */
function planOf(before: Descriptor, edit: Edit): Plan {
  const { encoding, options } = before;
  const descriptor = parseDescriptor(edit.apply(), options, encoding);
  const kept = new Set(filesOf(descriptor));
  return { descriptor, removed: filesOf(before).filter((file) => !kept.has(file) && !isAbsolute(file)) };
}

/** All image files of a disk. */
function filesOf({ storages }: Descriptor): string[] {
  return storages.flatMap(({ images }) => images.map(({ file }) => file));
}

function shotOf(descriptor: Descriptor, guid: Guid): XmlElement {
  return descriptor.places.shots.get(guid)!;
}

function elementOf(images: ReadonlyMap<Guid, { image: BundleImage; element: XmlElement }>, guid: Guid): XmlElement {
  return images.get(guid)!.element;
}

function requireFiles({ storages }: Descriptor, files: readonly string[]): void {
  if (files.length === storages.length) return;
  throw new RangeError(`files: expected ${storages.length}, one for each storage, got ${files.length}`);
}
