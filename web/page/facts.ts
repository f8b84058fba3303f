/** What there is to know about the open disk. */
import { formatShare, formatSize } from "../../src/cli/units.js";
import type { DiskInfo } from "../../src/index.js";
import { fact, grouped, part } from "./dom.js";
import type { OpenDisk, Session } from "./session.js";

export function setUpFacts(session: Session): void {
  const show = async () => {
    const { current } = session;
    if (current === undefined) return;
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
    fact("Size", formatSize(size), `${grouped(size)} bytes`),
    fact("Clusters", grouped(clusterCount), `of ${formatSize(clusterSize)}`),
    fact("Allocated", formatSize(allocatedBytes), formatShare(allocatedBytes, size)),
    fact("Image file", formatSize(fileSize), `${grouped(fileSize)} bytes`),
    fact("Fragmented", grouped(info.fragmentedClusters), "clusters, at opening"),
    fact("Left cleanly", info.unclean ? "no" : "yes", info.unclean ? "it was not closed the last time" : undefined),
    fact("Geometry", `${grouped(cylinders)} × ${heads} × ${sectors}`, "cylinders, heads, sectors"),
    fact("Engine", info.engine === "wasm" ? "WebAssembly" : "TypeScript"),
  );
  part("facts").dataset.state = "shown";
}
