/** What the tests with a real emulator need: a BIOS, and what a GRUB disk is made of. */
import { hasBios } from "../../examples/bios.js";
import { missingForGrub } from "../../examples/boot-disk.js";
import { type Need, tool } from "../support/peers.js";

const required = process.env.CI === "true";

export const bios: Need = { name: "SeaBIOS (package seabios)", present: hasBios(), required };

const missing = missingForGrub();
export const grub: Need = { name: missing ?? "GRUB", present: missing === undefined, required };

export const qemuImg: Need = tool("qemu-img");
