/**
 * A Linux guest on a disk of its own: GRUB loads kernel and initial files from it, which wait for the disk, mount it, read
 * what a start reads and end in a shell on the serial port. Kernel and initial files (busybox, and an /init that loads the
 * modules of an ATA disk and of ext4) are no part of the repository: PARABLOCK_GUEST names a folder that has them as
 * "vmlinuz" and "initrd.gz"; without it they are made where there is a script for that beside the repository.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeBootDisk } from "../examples/boot-disk.js";

const FILES = ["vmlinuz", "initrd.gz"];
/** The benchmarks are built into artifacts/. */
const MADE = fileURLToPath(new URL("../artifacts/guest", import.meta.url));
const SCRIPT = fileURLToPath(new URL("../../shared/guest/linux-guest.sh", import.meta.url));

export const GUEST_NAME = "a Linux guest (PARABLOCK_GUEST=FOLDER, with vmlinuz and initrd.gz)";

/** The folder with kernel and initial files, made now where it can be; undefined where there is none. */
export function guestFolder(): string | undefined {
  const named = process.env.PARABLOCK_GUEST;
  if (named === undefined && !isGuest(MADE) && existsSync(SCRIPT)) makeGuest();
  return [named ?? MADE].find(isGuest);
}

/** Takes root and a network: where it fails there is no guest. */
function makeGuest(): void {
  const folder = mkdtempSync(join(tmpdir(), "parablock-guest-"));
  try {
    execFileSync(SCRIPT, [folder], { stdio: "ignore" });
    mkdirSync(MADE, { recursive: true });
    for (const name of FILES) copyFileSync(join(folder, name), join(MADE, name));
  } catch {
    // It is skipped by its name.
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const isGuest = (folder: string): boolean => FILES.every((name) => existsSync(join(folder, name)));

const DISK_SIZE = 64 * 2 ** 20;
const PROGRAMS = { count: 256, size: 2 ** 16 };

/** What the shell says when it waits for a command. */
export const PROMPT = "parablock> ";
/** Reads the whole partition, past what the kernel keeps of it. */
export const READ_ALL = "echo 3 >/proc/sys/vm/drop_caches; cat /dev/sda1 >/dev/null";

const CONFIGURATION = `
serial --unit=0 --speed=115200
terminal_output serial
linux /boot/vmlinuz rdinit=/start console=ttyS0 tsc=reliable mitigations=off random.trust_cpu=on quiet
initrd /boot/initrd.gz /boot/start.cpio
boot
`;

/** Runs instead of the guest's own /init, of which it takes the line that loads the modules. */
const START = `#!/bin/busybox sh
export PATH=/bin PS1="${PROMPT}"
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
exec >/dev/ttyS0 2>&1 </dev/ttyS0
eval "$(grep insmod /init)"
while [ ! -b /dev/sda1 ]; do sleep 0.05; done
mount -t ext4 /dev/sda1 /mnt
cat /mnt/usr/* >/dev/null
dd if=/dev/zero of=/mnt/log bs=64k count=16 2>/dev/null
sync
exec sh -i
`;

/** The disk's bytes. */
export function makeGuestDisk(folder: string): Uint8Array {
  const boot = (name: string) => readFileSync(join(folder, name));
  const programs = Array.from({ length: PROGRAMS.count }, (_, index): [string, Uint8Array] => [
    `usr/${index}`,
    new Uint8Array(PROGRAMS.size).fill(1 + (index % 255)),
  ]);
  return makeBootDisk({
    size: DISK_SIZE,
    configuration: CONFIGURATION,
    files: {
      "boot/vmlinuz": boot("vmlinuz"),
      "boot/initrd.gz": boot("initrd.gz"),
      "boot/start.cpio": cpioOf("start", START),
      ...Object.fromEntries(programs),
    },
  });
}

const EXECUTABLE = 0o100755;

/** An archive of one file, in the form that the kernel unpacks ("newc"). */
function cpioOf(name: string, content: string): string {
  return entryOf(name, EXECUTABLE, content) + entryOf("TRAILER!!!", 0, "");
}

/** Of ASCII alone: characters are bytes. */
function entryOf(name: string, mode: number, content: string): string {
  const [links, none] = [1, 0];
  const fields = [none, mode, none, none, links, none, content.length, none, none, none, none, name.length + 1, none];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
  return padded(header) + padded(content);
}

const padded = (text: string): string => text.padEnd(Math.ceil(text.length / 4) * 4, "\0");
