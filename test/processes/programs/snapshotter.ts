/**
 * Writes to a bundle's disk and takes, deletes and goes back to snapshots until it is killed, and says before and after
 * each verb what it does. The lines go out at once.
 *
 *   w SUM        the disk may read as this from now on         F          what was said before is there for good
 *   c SUM        a snapshot of this content is being taken     C GUID     it is taken
 *   x GUID       one is being deleted                          X GUID     it is deleted
 *   g GUID       the disk is going back to one                 G GUID     it has
 *
 * Arguments: the folder, a seed, steps at most.
 */
import { createHash } from "node:crypto";
import { BundleSync } from "../../../src/bundle.js";
import { FileFolderSync } from "../../../src/node.js";
import { below, randomFrom } from "../../support/random.js";
import { say } from "./say.js";

const SECTOR = 512;
const MOST = 6;
const [path = "", seed, steps] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const bundle = BundleSync.open(FileFolderSync.open(path));
const disk = bundle.openDisk();
const content = read();

function read(): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return bytes;
}

const sum = () => createHash("md5").update(content).digest("hex");

/** A sector, which a system writes whole or not at all. */
function write(): void {
  const offset = SECTOR * below(random, disk.size / SECTOR);
  const bytes = new Uint8Array(SECTOR).map(() => below(random, 256));
  content.set(bytes, offset);
  say(`w ${sum()}`);
  disk.write(bytes, offset);
  if (bundle.parts.length > 1 || random() < 0.2) flush(); // writes to different files are not ordered
}

function flush(): void {
  disk.flush();
  say("F");
}

function snapshot(): void {
  const shots = bundle.snapshots.filter(({ top }) => !top);
  const { guid } = shots[below(random, shots.length)] ?? {};
  const kind = random();
  if (guid === undefined || (kind < 0.5 && shots.length < MOST)) {
    say(`c ${sum()}`);
    say(`C ${bundle.createSnapshot()}`);
  } else if (kind < 0.8) {
    if (isFork(guid)) return;
    say(`x ${guid}`);
    bundle.deleteSnapshot(guid);
    say(`X ${guid}`);
  } else {
    say(`g ${guid}`);
    bundle.switchSnapshot(guid);
    say(`G ${guid}`);
    content.set(read());
  }
}

function isFork(guid: string): boolean {
  return bundle.snapshots.filter(({ parent }) => parent === guid).length > 1;
}

say("open");
for (let step = 0; step < Number(steps); step++) {
  if (random() < 0.5) write();
  else snapshot();
}
disk.close();
say("F");
