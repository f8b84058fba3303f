/**
 * Opens an image for writing again and again, against others that do the same, until it has had it so many times.
 * While it has it, nobody else may: it makes a marker that must not be there, and the image must be as the last holder
 * closed it. Says "ready" and begins when it is sent a line, so that all begin together; then says what is wrong, and at
 * last how often it found the image in use. Arguments: the image, the marker, the log, a name, how many times.
 */
import { appendFileSync, closeSync, openSync, unlinkSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { DiskError } from "../../../src/index.js";
import { openFileSync } from "../../../src/node.js";

const [image = "", marker = "", log = "", name = "", times] = process.argv.slice(2);
const pause = new Int32Array(new SharedArrayBuffer(4));

let refused = 0;

function tryOnce(): boolean {
  try {
    using disk = openFileSync(image, { prealloc: { mode: "off" } });
    if (disk.info.unclean) console.log(`${name}: somebody else has it`);
    closeSync(openSync(marker, "wx"));
    disk.write(new Uint8Array(512).fill(name.charCodeAt(0)), 512);
    disk.flush();
    appendFileSync(log, name);
    unlinkSync(marker);
    return true;
  } catch (error) {
    if (error instanceof DiskError && error.code === "IN_USE") refused++;
    else console.log(`${name}: ${error}`);
    return false;
  }
}

console.log("ready");
const lines = createInterface({ input: process.stdin });
await lines.question("");
lines.close();
for (let wins = 0; wins < Number(times); ) {
  if (tryOnce()) wins++;
  // Both may lose: who waits as long as the other loses again.
  Atomics.wait(pause, 0, 0, Math.random() * 4);
}
console.log(`refused ${refused}`);
