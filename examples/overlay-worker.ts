/**
 * The worker of the overlay example: a base image on a web server, raw or Parallels, read as it is needed; over it a
 * Parallels image in OPFS, which takes what the guest writes. Its name is the base's version: changes to one image
 * never lie over another.
 */
import { Disk, DiskError, probe } from "../src/index.js";
import { HttpStorage } from "../src/storage/http.js";
import { OpfsStorage } from "../src/storage/opfs.js";
import { serveDisk } from "../src/worker/serve.js";

/** What the page asks for besides the disk, and is answered. */
export interface OverlayStatistics {
  requests: number;
  bytes: number;
  /** What the guest has changed, ever: whole clusters of the image in OPFS. */
  changedBytes: number;
}

const CLUSTER_SIZE = 64 * 1024;
const version = new URLSearchParams(location.search).get("version");
const path = `overlay-${version}.hds`;

const http = HttpStorage.open("base");
const overlay = http.then(openOverlay);
serveDisk(self as never, overlay);

addEventListener("message", async ({ data }) => {
  if (data !== "statistics") return;
  const { requests, bytes } = (await http).statistics;
  postMessage({ requests, bytes, changedBytes: (await overlay).allocatedBytes } satisfies OverlayStatistics);
});

async function openOverlay(http: HttpStorage): Promise<Disk> {
  const base = await openBase(http);
  try {
    return await Disk.open(await OpfsStorage.open(path), { base });
  } catch (error) {
    if (!(error instanceof DiskError && error.code === "NOT_FOUND")) throw error;
  }
  const size = base instanceof Disk ? base.size : base.size();
  return Disk.create(await OpfsStorage.open(path, { create: "new" }), { size, clusterSize: CLUSTER_SIZE, base });
}

async function openBase(http: HttpStorage): Promise<Disk | HttpStorage> {
  const start = new Uint8Array(64);
  await http.read(start, 0);
  return probe(start) === undefined ? http : Disk.open(http);
}
