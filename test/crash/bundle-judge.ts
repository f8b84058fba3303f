/**
 * What must be true of a bundle after a crash: it opens; every snapshot that it lists reads as when it was taken, and all
 * are listed but the one that is being deleted; the disk reads as its guest may expect, as before the verb under way or as
 * after it. A repair leaves all that as it is, and nothing of the crash.
 */
import { BundleSync } from "../../src/bundle/bundle.js";
import type { EngineKind } from "../../src/engine/engine.js";
import type { FolderSync } from "../../src/storage/folder.js";
import { firstDifference } from "../support/bytes.js";
import type { Guest } from "./guest.js";

/** The verb that is under way. */
export type Doing =
  | { verb: "create" | "switch" /** What the disk reads as once it has happened. */; content: Uint8Array }
  | { verb: "delete"; guid: string };

export interface Expected {
  /** What each snapshot reads as, but for the top. */
  shots: ReadonlyMap<string, Uint8Array>;
  guest: Guest;
  /** Where the top lies as long as no other snapshot was taken or gone back to. */
  topFiles: string;
  doing: Doing | undefined;
  /** Nothing is lost but the process: what the guest finds are the first of its writes, in their order. */
  inOrder: boolean;
}

/** The files of the top. */
export function topFilesOf({ parts, top }: BundleSync): string {
  return parts.flatMap(({ images }) => images.filter(({ guid }) => guid === top).map(({ file }) => file)).join("/");
}

export const openBundle = (folder: FolderSync, engine: EngineKind): BundleSync =>
  BundleSync.open(folder, { engine, prealloc: { mode: "off" } });

/** Reads all that a bundle lists; answers what the disk reads as. @throws Error */
export function requireSound(bundle: BundleSync, expected: Expected): Uint8Array {
  const { shots, doing } = expected;
  const listed = bundle.snapshots.filter(({ top, temporary }) => !top && !temporary).map(({ guid }) => guid);
  for (const guid of shots.keys())
    if (!listed.includes(guid) && !(doing?.verb === "delete" && doing.guid === guid))
      throw new Error(`snapshot ${guid} is gone`);
  const moved = topFilesOf(bundle) !== expected.topFiles && doing?.verb !== "delete";
  for (const guid of listed) {
    const wanted = shots.get(guid) ?? (moved && doing?.verb === "create" ? doing.content : undefined);
    if (wanted === undefined) throw new Error(`snapshot ${guid} was deleted, or never taken`);
    requireSame(`snapshot ${guid}`, contentOf(bundle, guid), wanted);
  }
  const content = contentOf(bundle, bundle.top);
  if (moved) requireMoved(content, doing);
  else requireExpected(content, expected);
  return content;
}

function requireMoved(content: Uint8Array, doing: Doing | undefined): void {
  if (doing === undefined || doing.verb === "delete")
    throw new Error("the disk lies where it lay before the last verb");
  requireSame("the disk", content, doing.content);
}

function requireExpected(content: Uint8Array, { guest, inOrder }: Expected): void {
  const fault = guest.fault(content) ?? (inOrder ? guest.orderFault(content) : undefined);
  if (fault !== undefined) throw new Error(`the disk: ${fault}`);
}

function contentOf(bundle: BundleSync, guid: string): Uint8Array {
  const disk = bundle.openDisk({ snapshot: guid, readOnly: true });
  const bytes = new Uint8Array(disk.size).fill(0xa5);
  disk.read(bytes, 0);
  disk.close();
  return bytes;
}

function requireSame(what: string, found: Uint8Array, wanted: Uint8Array): void {
  const at = firstDifference(found, wanted);
  if (at >= 0) throw new Error(`${what} is wrong at byte ${at}: ${found[at]} for ${wanted[at]}`);
}

/** Repairs a bundle, and looks at what is left then: of the crash nothing, all else as before. @throws Error */
export function requireRepairable(folder: FolderSync, engine: EngineKind, expected: Expected): void {
  const bundle = openBundle(folder, engine);
  const before = requireSound(bundle, expected);
  const { after } = bundle.repair("leaks");
  if (after.strays.length > 0) throw new Error(`a repair leaves ${after.strays.join(", ")}`);
  if (after.unfinished.length > 0 || bundle.snapshots.some(({ temporary }) => temporary))
    throw new Error(`a repair leaves ${after.unfinished.length} temporary snapshots`);
  for (const { file, report } of after.images)
    if (report !== undefined && report.corruptions + report.leaks > 0)
      throw new Error(`a repair leaves ${file} with ${report.corruptions} corruptions and ${report.leaks} leaks`);
  requireSame("the repaired disk", requireSound(bundle, expected), before);
  bundle.close();
}
