/** The BIOS that v86 needs and does not bring: SeaBIOS and its VGA part, where Linux distributions put them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What boots the machine, and what drives its screen. */
export interface Bios {
  bios: Uint8Array;
  vgaBios: Uint8Array;
}

/** Debian, Ubuntu and Arch; Fedora has one folder for each. */
const FOLDERS = ["/usr/share/seabios", "/usr/share/qemu", "/usr/share/seavgabios", "/usr/share/edk2/seabios"];
const [BIOS, VGA_BIOS] = [
  ["bios.bin", "bios-256k.bin"],
  // v86's graphics are QEMU's "std": with SeaBIOS's part for ISA, which Debian calls vgabios.bin, the screen stays black.
  ["vgabios-stdvga.bin", "vgabios.bin", "vgabios-isavga.bin"],
];

/** Whether `readBios` would find them. */
export const hasBios = (): boolean => find(BIOS) !== undefined && find(VGA_BIOS) !== undefined;

/** @throws Error that says where to get them */
export function readBios(): Bios {
  const [bios, vgaBios] = [find(BIOS), find(VGA_BIOS)];
  if (bios === undefined || vgaBios === undefined) throw new Error(missing());
  return { bios: readFileSync(bios), vgaBios: readFileSync(vgaBios) };
}

function find(names: readonly string[]): string | undefined {
  return names.flatMap((name) => folders().map((folder) => join(folder, name))).find((path) => existsSync(path));
}

const folders = (): string[] => (process.env.SEABIOS === undefined ? FOLDERS : [process.env.SEABIOS]);

function missing(): string {
  return (
    `No BIOS in ${folders().join(", ")}: install SeaBIOS (Debian, Ubuntu: apt install seabios), ` +
    `or set SEABIOS to a folder with ${BIOS[0]} and ${VGA_BIOS[0]} (https://www.seabios.org, or v86's own bios/ folder)`
  );
}
