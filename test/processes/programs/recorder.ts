/**
 * Writes a guest's records to an image until it is killed; says "b NUMBER SLOT" before and "d NUMBER" after each. The lines
 * go out at once: what was said to be done was done, and nothing was begun that was not said.
 *
 * Arguments: the image, its base or "", a seed, the first number, and how: "sync", "async", or those as a drive of v86.
 */
import { V86Disk } from "../../../src/adapters/v86.js";
import { FileStorageSync, openFile, openFileSync } from "../../../src/node.js";
import { RECORD, recordOf, slotOf } from "../../support/records.js";
import { say } from "./say.js";

const [path = "", basePath = "", seed, first, how = ""] = process.argv.slice(2);
const base = basePath === "" ? {} : { base: FileStorageSync.open(basePath, { readOnly: true }) };
const disk = how.endsWith("async") ? await openFile(path, base) : openFileSync(path, base);
const slots = disk.size / RECORD;
const drive = new V86Disk(disk, { flushDelayMilliseconds: 40 });

function put(bytes: Uint8Array, offset: number): void | Promise<void> {
  if (!how.startsWith("v86")) return disk.write(bytes, offset);
  return new Promise((resolve) => drive.set(offset, bytes, resolve));
}

let next = Number(first);
async function write(): Promise<void> {
  const number = next++;
  const slot = slotOf(Number(seed), number, slots);
  say(`b ${number} ${slot}`);
  await put(recordOf(number), slot * RECORD);
  say(`d ${number}`);
  if (number % 500 === 0) await disk.flush();
  if (number % 16 === 0) await new Promise((resolve) => setImmediate(resolve)); // the drive's timer has its turn
}

const depth = how === "async" ? 6 : 1;
await Promise.all(
  Array.from({ length: depth }, async () => {
    for (;;) await write();
  }),
);
