/**
 * A small disk that boots: GRUB from Debian's own packages, on an ext2 partition. At each start it says on the first
 * serial port whether this disk was started before, prints a file, reads another and prints its SHA-256.
 *
 *     sector 0          boot.img, and the partition table
 *     sector 1          core.img: what GRUB needs to read the partition
 *     sector 2048 ...   ext2: /boot/grub with modules and grub.cfg, /hello.txt, /payload
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const MODULES = "/usr/lib/grub/i386-pc";
/** mke2fs is where only root's PATH leads. */
const PATH = [process.env.PATH, "/usr/sbin", "/sbin"].join(delimiter);
const SECTOR = 512;
const MEBIBYTE = 1024 * 1024;
const DISK_SIZE = 16 * MEBIBYTE;
const PARTITION_START = 2048;
/** The guest takes some seconds for the SHA-256 of a megabyte. */
const PAYLOAD_SIZE = 32 * 1024;
const LINUX = 0x83;
/** Where boot.img's code ends and the partition table lies; the code in between is for floppies. */
const TABLE = { offset: 446, end: 510, floppyCode: 462 - 16 };

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

/** Whether everything is there that the disk is made of; else what is missing. */
export function missingForGrub(): string | undefined {
  if (!existsSync(join(MODULES, "boot.img"))) return `${MODULES} (Debian, Ubuntu: apt install grub-pc-bin)`;
  for (const [program, name] of [
    ["grub-mkimage", "grub-common"],
    ["mke2fs", "e2fsprogs"],
  ] as const) {
    if (!isInstalled(program)) return `${program} (Debian, Ubuntu: apt install ${name})`;
  }
  return undefined;
}

/** The disk's bytes; up to 8 MiB of payload fit. @throws Error that says what to install */
export function makeGrubDisk(payloadSize = PAYLOAD_SIZE): Uint8Array {
  const missing = missingForGrub();
  if (missing !== undefined) throw new Error(`A GRUB disk cannot be made without ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), "parablock-grub-"));
  try {
    const disk = new Uint8Array(DISK_SIZE);
    disk.set(bootSectorOf(readFileSync(join(MODULES, "boot.img"))));
    disk.set(makeCore(join(folder, "core.img")), SECTOR);
    disk.set(makePartition(folder, payloadSize), PARTITION_START * SECTOR);
    return disk;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the guest prints for its payload. */
export const payloadDigest = (payloadSize = PAYLOAD_SIZE): string =>
  createHash("sha256").update(payload(payloadSize)).digest("hex");

function bootSectorOf(image: Uint8Array): Uint8Array {
  const sector = new Uint8Array(SECTOR);
  sector.set(image);
  sector.fill(0, TABLE.floppyCode, TABLE.end);
  const entry = new DataView(sector.buffer, TABLE.offset, 16);
  entry.setUint8(0, 0x80); // active
  entry.setUint8(4, LINUX);
  entry.setUint32(8, PARTITION_START, true);
  entry.setUint32(12, DISK_SIZE / SECTOR - PARTITION_START, true);
  return sector;
}

function makeCore(path: string): Uint8Array {
  const modules = ["biosdisk", "part_msdos", "ext2"];
  run("grub-mkimage", "-O", "i386-pc", "-d", MODULES, "-p", "(hd0,msdos1)/boot/grub", "-o", path, ...modules);
  const core = readFileSync(path);
  if (core.length > (PARTITION_START - 1) * SECTOR) throw new Error("core.img does not fit before the partition");
  return core;
}

function makePartition(folder: string, payloadSize: number): Uint8Array {
  const [root, path] = [join(folder, "root"), join(folder, "partition")];
  const grub = join(root, "boot/grub/i386-pc");
  mkdirSync(grub, { recursive: true });
  for (const name of readdirSync(MODULES)) {
    if (/\.(mod|lst)$/.test(name)) copyFileSync(join(MODULES, name), join(grub, name));
  }
  writeFileSync(join(root, "boot/grub/grub.cfg"), CONFIGURATION);
  writeFileSync(join(root, "boot/grub/grubenv"), "# GRUB Environment Block\n".padEnd(1024, "#"));
  writeFileSync(join(root, "hello.txt"), `${GRUB_OUTPUT.hello}\n`);
  writeFileSync(join(root, "payload"), payload(payloadSize));
  const size = `${(DISK_SIZE - PARTITION_START * SECTOR) / 1024}K`;
  run("mke2fs", "-q", "-t", "ext2", "-d", root, path, size);
  return readFileSync(path);
}

/** No two sectors are the same. */
function payload(size: number): Uint8Array {
  const words = Uint32Array.from({ length: size / 4 }, (_, index) => Math.imul(index + 1, 0x9e3779b1));
  return new Uint8Array(words.buffer);
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { env: { ...process.env, PATH }, stdio: ["ignore", "ignore", "pipe"] });
}

function isInstalled(program: string): boolean {
  return PATH.split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, program)));
}
