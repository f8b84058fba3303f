/**
 * Writes to an image until it is killed, and says before and after each request what it does. The lines go out at once:
 * what was said to be done was done, and nothing was begun that was not said.
 *
 *   b ID VERSION FIRST COUNT   a write (VERSION 0: a discard) of sectors begins        d ID   it is done
 *   f ID                       a flush (or a close) begins                             F ID   it is done
 *   r ID COUNT                 the disk begins to have so many sectors                 R ID   it has
 *   c                          something begins that changes nothing that a guest sees
 *
 * Arguments: the image, a seed, the first version to write, "sync" or "async", preallocation in bytes, requests at most,
 * and, where the disk is also resized and compacted, the most sectors that it may have.
 */
import { openFile, openFileSync } from "../../../src/node.js";
import { below, randomFrom } from "../../support/random.js";
import { SECTOR, sectorsOf } from "../../support/sectors.js";
import { say } from "./say.js";

const [path = "", seed, firstVersion, face, preallocation, limit, mostSectors] = process.argv.slice(2);
const random = randomFrom(Number(seed));
let version = Number(firstVersion);
let requests = 0;

const size = Number(preallocation);
const options = { prealloc: { mode: size === 0 ? "off" : "falloc", size } } as const;
const open = () => (face === "sync" ? openFileSync(path, options) : openFile(path, options));
let disk = await open();

/** A range of whole sectors: some within a cluster, some clusters whole. */
function range(): { first: number; count: number } {
  const perCluster = disk.clusterSize / SECTOR;
  const end = disk.size / SECTOR; // it may lie in the midst of a cluster
  const cluster = below(random, disk.clusterCount);
  if (random() < 0.5) {
    const count = perCluster * (1 + below(random, Math.min(4, disk.clusterCount - cluster)));
    return { first: cluster * perCluster, count: Math.min(count, end - cluster * perCluster) };
  }
  const first = Math.min(end - 1, cluster * perCluster + below(random, perCluster));
  return { first, count: 1 + below(random, Math.min(3 * perCluster, end - first)) };
}

async function write(discards: boolean): Promise<void> {
  const { first, count } = range();
  const [id, written] = [requests++, discards ? 0 : version++];
  say(`b ${id} ${written} ${first} ${count}`);
  try {
    if (discards) await disk.discard(first * SECTOR, count * SECTOR);
    else await disk.write(sectorsOf(first, count, written), first * SECTOR);
    say(`d ${id}`);
  } catch (error) {
    // The disk was made smaller meanwhile.
    if (!(error instanceof RangeError) || mostSectors === undefined) throw error;
  }
}

async function flush(): Promise<void> {
  const id = requests++;
  say(`f ${id}`);
  await disk.flush();
  say(`F ${id}`);
}

async function reshape(): Promise<void> {
  if (random() < 0.5) return resize();
  say("c");
  await disk.compact({ order: random() < 0.3 });
}

async function resize(): Promise<void> {
  const [id, count] = [requests++, 1 + below(random, Number(mostSectors))];
  say(`r ${id} ${count}`);
  await disk.resize(count * SECTOR);
  say(`R ${id}`);
}

async function reopen(): Promise<void> {
  const id = requests++;
  say(`f ${id}`);
  await disk.close();
  say(`F ${id}`);
  disk = await open();
}

async function request(): Promise<void> {
  const kind = random();
  if (kind < 0.25) await flush();
  else await write(kind < 0.5);
}

say("open");
const depth = face === "sync" ? 1 : 6;
while (requests < Number(limit)) {
  const requesting = Array.from({ length: depth }, request);
  if (mostSectors !== undefined && random() < 0.3) requesting.push(reshape());
  await Promise.all(requesting);
  if (random() < 0.05) await reopen();
}
await disk.close();
