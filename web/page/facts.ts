/** What there is to know about the open disk. */

import { wordFor } from "../../src/count.js";
import type { DiskInfo } from "../../src/index.js";
import { formatShare, formatSize } from "../../src/show/units.js";
import type { BundleView } from "../shared/protocol.js";
import { fact, grouped, many, part } from "./dom.js";
import type { OpenDisk, Session } from "./session.js";

export function setUpFacts(session: Session): void {
  const show = async () => {
    const { current } = session;
    if (current === undefined) return;
    if (current.bundle !== undefined) return showBundle(current, current.bundle);
    const info = await current.disk.info;
    if (session.current === current) showFacts(current, info);
  };
  const showQuietly = () => void show().catch(() => {}); // it was closed meanwhile
  session.onChange(showQuietly);
  session.onWrite(showQuietly);
}

function showFacts(open: OpenDisk, info: DiskInfo): void {
  const { size, clusterSize, clusterCount, allocatedBytes, fileSize, geometry, format } = info;
  const { cylinders, heads, sectors } = geometry;
  part("disk-name").textContent = open.name;
  part("disk-line").textContent = [
    `${formatSize(size)} disk`,
    `format ${format}`,
    "name" in open.source ? "kept in this browser" : "your file, only read",
  ].join("  ·  ");
  part("facts").replaceChildren(
    fact("Size", formatSize(size), many(size, "byte")),
    fact("Clusters", grouped(clusterCount), `of ${formatSize(clusterSize)}`),
    fact("Allocated", formatSize(allocatedBytes), formatShare(allocatedBytes, size)),
    fact("Image file", formatSize(fileSize), many(fileSize, "byte")),
    fact("Fragmented", grouped(info.fragmentedClusters), wordFor(info.fragmentedClusters, "cluster")),
    closedCleanly(info),
    fact("Geometry", `${grouped(cylinders)} × ${heads} × ${sectors}`, "cylinders, heads, sectors"),
    fact("Engine", info.engine === "wasm" ? "WebAssembly" : "TypeScript"),
  );
  part("facts").dataset.state = "shown";
}

function showBundle({ name, source, disk }: OpenDisk, { shown, top, snapshots, parts, layers }: BundleView): void {
  const { size, clusterSize, clusterCount, allocatedBytes } = disk;
  const kept = "name" in source ? "kept in this browser" : "your folder, only read";
  part("disk-name").textContent = name;
  part("disk-line").textContent = [`${formatSize(size)} disk`, "a bundle", kept].join("  ·  ");
  part("facts").replaceChildren(
    fact("Size", formatSize(size), many(size, "byte")),
    fact("Clusters", grouped(clusterCount), `of ${formatSize(clusterSize)}`),
    fact("Written on top", formatSize(allocatedBytes), "since the last snapshot"),
    fact("Shown", shown === top ? "now" : `snapshot ${shown.slice(1, 9)}`, many(layers, "image")),
    fact("Snapshots", grouped(snapshots.length - 1)),
    fact("Parts", grouped(parts)),
  );
  part("facts").dataset.state = "shown";
}

/** As the file says it now: while it is written to it is not closed, and would be found so if the page ended. */
function closedCleanly({ unclean, inUse }: DiskInfo): HTMLElement {
  if (unclean) return fact("Closed cleanly", "no", "not the last time");
  return inUse === 0 ? fact("Closed cleanly", "yes") : fact("Closed cleanly", "not yet", "it is in use: Close does it");
}
