/** Bundles of several snapshots, and what changes of their files make of them: descriptors, images, and which files there are. */
import { BundleSync } from "../src/bundle.js";
import { MemoryFolder } from "../src/storage/memory-folder.js";
import { below, patternBytes, type Random } from "../test/support/random.js";
import { mutateDescriptor } from "./descriptor-mutations.js";
import { mutated } from "./mutations.js";

const SECTOR = 512;
export const DESCRIPTOR = "DiskDescriptor.xml";

/** A bundle with three snapshots, maybe split, maybe on a raw root. */
export function makeBundle(random: Random): MemoryFolder {
  const folder = new MemoryFolder();
  const [split, plain] = [random() < 0.3 ? 16 * SECTOR : undefined, random() < 0.3];
  const format = random() < 0.5 ? ("v1" as const) : ("v2" as const);
  const bundle = BundleSync.create(folder, { size: 40 * SECTOR, clusterSize: 2 * SECTOR, split, plain, format });
  const disk = bundle.openDisk();
  for (let layer = 0; layer < 4; layer++) {
    for (let count = 0; count < 4; count++) disk.write(patternBytes(layer, 900), below(random, 38 * SECTOR));
    if (layer < 3) bundle.createSnapshot();
  }
  bundle.close();
  return folder;
}

/** Changes some bytes, mostly where the tables are, cuts a file, removes one, or gives one another's content. */
export function damage(folder: MemoryFolder, random: Random, lines: string[] = []): void {
  for (let count = 1 + below(random, 3); count > 0; count--) {
    const names = folder.list();
    const name = names[below(random, names.length)];
    const dice = random();
    if (dice < 0.85) folder.put(name, damaged(name, folder.contentOf(name), random, lines));
    else if (dice < 0.92 && names.length > 2) folder.remove(name);
    else folder.put(name, folder.contentOf(names[below(random, names.length)]));
    lines.push(`${dice < 0.85 ? "changed" : "removed or replaced"} ${name}`);
  }
}

function damaged(name: string, bytes: Uint8Array<ArrayBuffer>, random: Random, lines: string[]): Uint8Array {
  const dice = random();
  if (dice < 0.15) return bytes.subarray(0, below(random, bytes.length + 1));
  if (dice < 0.5) return withBytesChanged(bytes, name === DESCRIPTOR || random() < 0.2 ? bytes.length : 160, random);
  if (name === DESCRIPTOR) return mutateDescriptor(bytes, random, lines);
  return mutated(bytes, random, lines);
}

function withBytesChanged(bytes: Uint8Array<ArrayBuffer>, reach: number, random: Random): Uint8Array {
  const limit = Math.min(bytes.length, reach);
  for (let change = 1 + below(random, 4); change > 0 && limit > 0; change--)
    bytes[below(random, limit)] = [0, 1, 0xff, 0x7f, below(random, 256)][below(random, 5)];
  return bytes;
}
