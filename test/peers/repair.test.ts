/** QEMU's verdict on what was repaired. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openFileSync } from "../../src/node.js";
import { sample } from "../check/damage.js";
import { cases } from "../check/damages.js";
import { firstDifference } from "../support/bytes.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith } from "../support/peers.js";
import { qemu, qemuCheck, qemuConvert } from "./qemu.js";

const path = temporaryFolder();

describeWith(qemu, "QEMU, on an image that had", () => {
  it.each(cases)("$name ($format), finds no error after the repair and reads the same", ({ name, format, harm }) => {
    const file = path(`${format} ${name}.hds`);
    for (const clusterSize of [4096, 63 * 512]) {
      const image = sample(format, clusterSize);
      harm(image);
      writeFileSync(file, image.bytes);
      openFileSync(file, { repair: "all" }).close();
      openFileSync(file, { repair: "leaks" }).close(); // QEMU knows no leaks inside, but one at the end is a fault to it
      qemuCheck(file);
      qemuConvert(file, `${file}.raw`);
      expect(firstDifference(readFileSync(`${file}.raw`), image.content)).toBe(-1);
    }
  });
});
