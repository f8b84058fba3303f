/** Files that are no disk's bytes: made by the programs whose formats they are, and by hand where one is missing. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { FOREIGN_BYTES } from "../format/foreign-bytes.js";
import { fixtures, hasTool, type Need, readFixture, runTool, tool } from "../support/peers.js";

export interface ForeignFile {
  title: string;
  /** As messages name it. */
  name: string | RegExp;
  needs: readonly Need[];
  /** Makes the file; `raw` is a raw disk of 1 MiB. */
  make(path: string, raw: string): void;
  /** The file's own name, where it matters. */
  as?: string;
  /** Only the bytes that it is known by, in zeros. */
  byHand?: boolean;
}

const byQemu = (format: string, name: string, ...options: string[]): ForeignFile => ({
  title: `${name} by qemu-img ${options.join(" ")}`,
  name,
  needs: [tool("qemu-img")],
  make: (path, raw) => void runTool("qemu-img", "convert", "-f", "raw", "-O", format, ...options, raw, path),
});

const byPacker = (command: string, name: string, ...options: string[]): ForeignFile => ({
  title: `${name} by ${command}`,
  name,
  // Not every machine has every packer, and the same bytes by hand are tested everywhere.
  needs: [{ name: command, present: hasTool(command), required: false }],
  make: (path, raw) => writeFileSync(path, execFileSync(command, [...options, raw], { maxBuffer: 2 ** 24 })),
});

const written = (
  title: string,
  name: string | RegExp,
  content: () => string | Uint8Array,
  as?: string,
): ForeignFile => ({
  title,
  name,
  needs: [],
  make: (path) => writeFileSync(path, content()),
  ...(as === undefined ? {} : { as }),
});

/** A MiB of zeros with the bytes that a format is known by. */
const known = ({ at, bytes }: { at: number; bytes: string }) => {
  const content = Buffer.alloc(2 ** 20);
  content.write(bytes, at < 0 ? content.length + at : at, "latin1");
  return content;
};

/** A file that an image's own bytes make, spoiled at one byte of its magic. */
const spoiled = () => known({ at: 0, bytes: "X" });

export const FOREIGN_FILES: readonly ForeignFile[] = [
  byQemu("qcow2", "a qcow2 image"),
  byQemu("qcow", "a qcow image"),
  byQemu("qed", "a QED image"),
  byQemu("vmdk", "a VMDK image"),
  byQemu("vmdk", "a VMDK image", "-o", "subformat=monolithicFlat"),
  byQemu("vmdk", "a VMDK image", "-o", "subformat=streamOptimized"),
  byQemu("vdi", "a VDI image"),
  byQemu("vpc", "a VHD image"),
  byQemu("vpc", "a VHD image", "-o", "subformat=fixed"),
  byQemu("vhdx", "a VHDX image"),
  byPacker("gzip", "packed with gzip", "-c"),
  byPacker("bzip2", "packed with bzip2", "-c"),
  byPacker("xz", "packed with xz", "-c"),
  byPacker("zstd", "packed with zstd", "-c"),
  byPacker("lz4", "packed with lz4", "-c"),
  byPacker("zip", "a zip archive", "-q", "-"),
  byPacker("tar", "a tar archive", "cPf", "-"),
  ...FOREIGN_BYTES.map(({ name, ...bytes }) => ({
    ...written(`${name} by hand`, name, () => known(bytes)),
    byHand: true,
  })),
  {
    title: "the descriptor of Parallels Desktop",
    name: "the descriptor of a bundle",
    needs: [fixtures],
    make: (path) => writeFileSync(path, readFixture("expanding.hdd/DiskDescriptor.xml")),
    as: "saved.xml", // under its own name it is a bundle
  },
  written("the empty file of a bundle", /is empty, as the file that only names a bundle is/, () => "", "vm.hdd"),
  written(
    "an ISO image in .hds",
    /named like a Parallels image/,
    () => known({ at: 32769, bytes: "CD001" }),
    "iso.hds",
  ),
  written("an image with a damaged header", /named like a Parallels image/, spoiled, "damaged.hdd"),
];
