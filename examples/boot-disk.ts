/**
 * Disks that boot: GRUB from Debian's own packages, on an ext2 partition, with a configuration and files of one's own.
 *
 *     sector 0          boot.img, and the partition table
 *     sector 1          core.img: what GRUB needs to read the partition
 *     sector 2048 ...   ext2: /boot/grub with modules and grub.cfg, and the files
 */
import { execFileSync } from "node:child_process";
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
import { delimiter, dirname, join } from "node:path";

const MODULES = "/usr/lib/grub/i386-pc";
/** mke2fs is where only root's PATH leads. */
const PATH = [process.env.PATH, "/usr/sbin", "/sbin"].join(delimiter);
const SECTOR = 512;
const PARTITION_START = 2048;
const LINUX = 0x83;
/** Where boot.img's code ends and the partition table lies; the code in between is for floppies. */
const TABLE = { offset: 446, end: 510, floppyCode: 462 - 16 };

/** What lies on a disk that boots. */
export interface BootDisk {
  /** In bytes, whole MiB. */
  size: number;
  /** GRUB's: /boot/grub/grub.cfg. */
  configuration: string;
  /** By their paths from the root. */
  files: Readonly<Record<string, string | Uint8Array>>;
}

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

/** The disk's bytes. @throws Error that says what to install; where the files do not fit */
export function makeBootDisk({ size, configuration, files }: BootDisk): Uint8Array {
  const missing = missingForGrub();
  if (missing !== undefined) throw new Error(`A GRUB disk cannot be made without ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), "parablock-grub-"));
  try {
    const disk = new Uint8Array(size);
    disk.set(bootSectorOf(readFileSync(join(MODULES, "boot.img")), size));
    disk.set(makeCore(join(folder, "core.img")), SECTOR);
    const root = join(folder, "root");
    fillRoot(root, { ...files, "boot/grub/grub.cfg": configuration });
    disk.set(makePartition(root, join(folder, "partition"), size), PARTITION_START * SECTOR);
    return disk;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bootSectorOf(image: Uint8Array, size: number): Uint8Array {
  const sector = new Uint8Array(SECTOR);
  sector.set(image);
  sector.fill(0, TABLE.floppyCode, TABLE.end);
  const entry = new DataView(sector.buffer, TABLE.offset, 16);
  entry.setUint8(0, 0x80); // active
  entry.setUint8(4, LINUX);
  entry.setUint32(8, PARTITION_START, true);
  entry.setUint32(12, size / SECTOR - PARTITION_START, true);
  return sector;
}

function makeCore(path: string): Uint8Array {
  const modules = ["biosdisk", "part_msdos", "ext2"];
  run("grub-mkimage", "-O", "i386-pc", "-d", MODULES, "-p", "(hd0,msdos1)/boot/grub", "-o", path, ...modules);
  const core = readFileSync(path);
  if (core.length > (PARTITION_START - 1) * SECTOR) throw new Error("core.img does not fit before the partition");
  return core;
}

function fillRoot(root: string, files: BootDisk["files"]): void {
  const grub = join(root, "boot/grub/i386-pc");
  mkdirSync(grub, { recursive: true });
  for (const name of readdirSync(MODULES)) {
    if (/\.(mod|lst)$/.test(name)) copyFileSync(join(MODULES, name), join(grub, name));
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

function makePartition(root: string, path: string, diskSize: number): Uint8Array {
  const size = `${(diskSize - PARTITION_START * SECTOR) / 1024}K`;
  run("mke2fs", "-q", "-t", "ext2", "-d", root, path, size);
  return readFileSync(path);
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { env: { ...process.env, PATH }, stdio: ["ignore", "ignore", "pipe"] });
}

function isInstalled(program: string): boolean {
  return PATH.split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, program)));
}
