/**
 * A small disk that boots and has nothing but GRUB: at each start it says on the first serial port whether this disk was
 * started before, prints a file, reads another and prints its SHA-256.
 */
import { createHash } from "node:crypto";
import { makeBootDisk } from "./boot-disk.js";

const DISK_SIZE = 16 * 1024 * 1024;
/** The guest takes some seconds for the SHA-256 of a megabyte. */
const PAYLOAD_SIZE = 32 * 1024;

/** Lines that the guest prints. */
export const GRUB_OUTPUT = {
  title: "Parablock GRUB disk",
  firstStart: "first start of this disk",
  laterStart: "started before",
  hello: "Hello from an ext2 file.",
  done: "Parablock GRUB disk: done",
} as const;

const CONFIGURATION = `
serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
echo "${GRUB_OUTPUT.title}"
load_env
if [ "$started" = "yes" ]; then echo "${GRUB_OUTPUT.laterStart}"; else echo "${GRUB_OUTPUT.firstStart}"; fi
set started=yes
save_env started
cat /hello.txt
sha256sum /payload
echo "${GRUB_OUTPUT.done}"
`;

/** The disk's bytes; up to 8 MiB of payload fit. @throws Error that says what to install */
export function makeGrubDisk(payloadSize = PAYLOAD_SIZE): Uint8Array {
  return makeBootDisk({
    size: DISK_SIZE,
    configuration: CONFIGURATION,
    files: {
      "boot/grub/grubenv": "# GRUB Environment Block\n".padEnd(1024, "#"),
      "hello.txt": `${GRUB_OUTPUT.hello}\n`,
      payload: payload(payloadSize),
    },
  });
}

/** What the guest prints for its payload. */
export const payloadDigest = (payloadSize = PAYLOAD_SIZE): string =>
  createHash("sha256").update(payload(payloadSize)).digest("hex");

/** No two sectors are the same. */
function payload(size: number): Uint8Array {
  const words = Uint32Array.from({ length: size / 4 }, (_, index) => Math.imul(index + 1, 0x9e3779b1));
  return new Uint8Array(words.buffer);
}
