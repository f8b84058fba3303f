/** What `info` says of a bundle: its snapshots as a tree, its parts with their files. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Bundle, SnapshotInfo } from "../bundle.js";
import { counted } from "../count.js";
import { nativeCalls } from "../node.js";
import { printable } from "../printable.js";
import { diskUsage, withBundle } from "./bundles.js";
import type { InfoFlags } from "./info.js";
import { chainOf } from "./layer-files.js";
import { formatFields, print, printJson } from "./print.js";
import { formatExactSize, formatSize } from "./size.js";

/** `info` of a bundle; of one snapshot only the images that it is made of. */
export async function bundleInfo(folder: string, { json, snapshot, forceShare }: InfoFlags): Promise<void> {
  await withBundle(folder, { forceShare }, async (bundle) => {
    const shown = snapshot === undefined ? undefined : await bundle.openDisk({ snapshot, readOnly: true });
    const chain = shown && chainOf(bundle, shown.snapshot);
    if (json) await printJson(bundleFacts(folder, bundle, chain));
    else await print(describeBundle(folder, bundle, chain));
  });
}

/** Everything, for programs; sizes and offsets in bytes. */
function bundleFacts(folder: string, bundle: Bundle, chain?: ReadonlySet<string>): object {
  const { name, size, top, snapshots, parts } = bundle;
  return {
    filename: folder,
    format: "bundle",
    name,
    size,
    top,
    snapshots,
    parts: parts.map(({ images, ...part }) => ({
      ...part,
      images: chosen(images, chain).map((image) => ({ ...image, ...fileSizes(folder, image.file) })),
    })),
    diskUsage: diskUsage(folder),
    nativeCalls: nativeCalls(),
  };
}

const chosen = <I extends { guid: string }>(images: readonly I[], chain?: ReadonlySet<string>): readonly I[] =>
  chain === undefined ? images : images.filter(({ guid }) => chain.has(guid));

/** The same for people; with `chain` only the images that these snapshots have. */
function describeBundle(folder: string, bundle: Bundle, chain?: ReadonlySet<string>): string {
  const { name, size, snapshots, parts } = bundle;
  const fields = formatFields([
    ["bundle", folder],
    ["name", name],
    ["virtual size", formatExactSize(size)],
    ["on disk", formatSize(diskUsage(folder))],
    ["snapshots", snapshots.length === 1 ? "none" : `${snapshots.length - 1}, and the disk as it is now`],
    ["parts", parts.length === 1 ? "one" : `${parts.length}`],
  ]);
  return `${fields}\n${formatTree(snapshots)}\n${parts.map((part, index) => formatPart(folder, { ...part, images: chosen(part.images, chain) }, index)).join("")}`;
}

/** One line a snapshot, what stands on it further in. */
export function formatTree(snapshots: readonly SnapshotInfo[]): string {
  const children = new Map<string | undefined, number>();
  for (const { parent } of snapshots) children.set(parent, (children.get(parent) ?? 0) + 1);
  const indents = new Map<string, number>();
  return snapshots
    .map(({ guid, parent, top, temporary }) => {
      // A line of snapshots that stand on each other stays a line: there may be hundreds.
      const indent = parent === undefined ? 0 : (indents.get(parent) ?? 0) + ((children.get(parent) ?? 0) > 1 ? 1 : 0);
      indents.set(guid, indent);
      const note = top ? "  <- the disk as it is now" : temporary ? "  (deleted, not yet merged)" : "";
      return `${"  ".repeat(indent)}${parent === undefined ? "" : "on it: "}${guid}${note}\n`;
    })
    .join("");
}

function formatPart(
  folder: string,
  { start, end, clusterSize, images }: Bundle["parts"][number],
  index: number,
): string {
  const lines = images.map(({ guid, type, file }) => {
    const sizes = fileSizes(folder, file);
    const told =
      sizes === undefined ? "missing" : `${formatSize(sizes.fileSize)}, on disk ${formatSize(sizes.diskUsage)}`;
    return `  ${guid}  ${type}  ${printable(file)}  (${told})\n`;
  });
  const range = `${formatSize(end - start)} from byte ${start}, clusters of ${formatSize(clusterSize)}`;
  return `part ${index}: ${range}, ${counted(images.length, "image")}\n${lines.join("")}`;
}

function fileSizes(folder: string, file: string): { fileSize: number; diskUsage: number } | undefined {
  const stat = statSync(join(folder, file), { throwIfNoEntry: false });
  return stat && { fileSize: stat.size, diskUsage: stat.blocks * 512 };
}
