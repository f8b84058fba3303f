/**
 * What is no disk's bytes although it is taken for them: images of other software, packed files, pointers and pages.
 * The first row that fits names a file, by a bounded number of bytes at its begin and end. What a raw disk may begin
 * with is not here: boot sectors, file systems, encrypted volumes, ISO images.
 */

/** Another format. */
export interface Foreign {
  /** With its article: "a qcow2 image". */
  readonly name: string;
  /** What to do to get at a disk in it. */
  readonly advice: string;
}

interface Row extends Foreign {
  /** Bytes at the begin of a file, as Latin-1; where they lie elsewhere, with the offset before them. */
  readonly magics?: readonly (string | readonly [offset: number, magic: string])[];
  /** What the begin looks like, where it is a text. */
  readonly text?: RegExp;
  /** Bytes at the begin of the last sector. */
  readonly trailer?: string;
  /** Endings of names that promise this format. */
  readonly endings?: readonly string[];
}

/** How much of a file's begin is looked at. */
export const FOREIGN_HEAD = 1024;
/** How much of its end. */
export const FOREIGN_TAIL = 512;

const CONVERT = "make a raw disk of it first (qemu-img convert -O raw IN OUT)";
const unpack = (command: string) => `unpack it first (${command})`;
const POINTER = "it only says where the content is";

const FORMATS: readonly Row[] = [
  { name: "a qcow image", magics: ["QFI\xfb\0\0\0\x01"], endings: ["qcow"], advice: CONVERT },
  { name: "a qcow2 image", magics: ["QFI\xfb"], endings: ["qcow2"], advice: CONVERT },
  { name: "a QED image", magics: ["QED\0"], endings: ["qed"], advice: CONVERT },
  {
    name: "a VMDK image",
    magics: ["KDMV", "COWD", "\xbe\xba\xfe\xca\0\0\0\0"],
    text: /^# Disk Descriptor ?File/i,
    endings: ["vmdk"],
    advice: CONVERT,
  },
  {
    name: "a VDI image",
    magics: [[64, "\x7f\x10\xda\xbe"]],
    text: /^<<< .*Disk Image/,
    endings: ["vdi"],
    advice: CONVERT,
  },
  { name: "a VHDX image", magics: ["vhdxfile"], endings: ["vhdx"], advice: CONVERT },
  {
    name: "a VHD image",
    magics: ["conectix"],
    trailer: "conectix",
    endings: ["vhd"],
    advice: "make a raw disk of it first (qemu-img convert -f vpc -O raw IN OUT)",
  },
  {
    name: "an Apple disk image (DMG)",
    magics: ["encrcdsa", "sprs"],
    trailer: "koly\0\0\0\x04",
    endings: ["dmg", "sparseimage"],
    advice: "make a raw disk of it first (qemu-img convert -f dmg -O raw IN OUT, or hdiutil convert -format UDTO)",
  },
  { name: "a Bochs image", magics: ["Bochs Virtual HD Image"], advice: CONVERT },
  { name: "packed with gzip", magics: ["\x1f\x8b\x08"], endings: ["gz", "tgz"], advice: unpack("gunzip") },
  { name: "packed with bzip2", text: /^BZh[1-9]1AY&SY/, endings: ["bz2"], advice: unpack("bunzip2") },
  { name: "packed with xz", magics: ["\xfd7zXZ\0"], endings: ["xz"], advice: unpack("unxz") },
  { name: "packed with zstd", magics: ["\x28\xb5\x2f\xfd"], endings: ["zst"], advice: unpack("unzstd") },
  { name: "packed with lz4", magics: ["\x04\x22\x4d\x18"], endings: ["lz4"], advice: unpack("unlz4") },
  { name: "packed with lzip", magics: ["LZIP\x01"], endings: ["lz"], advice: unpack("lzip -d") },
  { name: "packed with compress", magics: ["\x1f\x9d\x90"], endings: ["Z"], advice: unpack("uncompress") },
  {
    name: "a zip archive",
    magics: ["PK\x03\x04", "PK\x05\x06", "PK\x07\x08"],
    endings: ["zip"],
    advice: unpack("unzip"),
  },
  { name: "a 7-Zip archive", magics: ["7z\xbc\xaf\x27\x1c"], endings: ["7z"], advice: unpack("7z x") },
  { name: "a RAR archive", magics: ["Rar!\x1a\x07"], endings: ["rar"], advice: unpack("unrar x") },
  {
    name: "a tar archive (as OVA files are)",
    magics: [[257, "ustar"]],
    endings: ["tar", "ova"],
    advice: unpack("tar xf"),
  },
  {
    name: "a Git LFS pointer",
    text: /^version https:\/\/git-lfs/,
    advice: `${POINTER}: fetch that (git lfs pull)`,
  },
  { name: "a git-annex pointer", text: /^\/annex\/objects\//, advice: `${POINTER}: fetch that (git annex get)` },
  {
    name: "the descriptor of a bundle (DiskDescriptor.xml)",
    text: /^(\xef\xbb\xbf)?\s*<.*<(Parallels|Virtuozzo)_disk_image/s,
    advice: "the disk is the folder that it lies in: open that as a bundle, with what it names beside it",
  },
  {
    name: "a page of HTML or XML",
    text: /^(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml)\b/i,
    advice: "perhaps an error was downloaded instead of the file: look into it, and fetch the file again",
  },
  {
    name: "a Parallels image with a damaged header",
    text: /^Withou/,
    advice: "restore it from a backup",
  },
];

/**
 * What a file is that is no raw disk, or undefined.
 * @param head its first bytes, `FOREIGN_HEAD` of them where there are as many
 * @param tail its last bytes, `FOREIGN_TAIL` of them where there are as many; empty where they are not known
 */
export function recognise(head: Uint8Array, tail: Uint8Array = new Uint8Array(0)): Foreign | undefined {
  const first = String.fromCharCode(...head.subarray(0, FOREIGN_HEAD));
  const last = String.fromCharCode(...tail.subarray(-FOREIGN_TAIL));
  return FORMATS.find(
    ({ magics = [], text, trailer }) =>
      magics.some((magic) =>
        typeof magic === "string" ? first.startsWith(magic) : first.startsWith(magic[1], magic[0]),
      ) ||
      text?.test(first) ||
      (trailer !== undefined && last.length === FOREIGN_TAIL && last.startsWith(trailer)),
  );
}

/** The format that a file's name promises, where it is one of these. */
export function promisedBy(name: string): Foreign | undefined {
  const ending = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase();
  return FORMATS.find(({ endings }) => endings?.some((known) => known.toLowerCase() === ending));
}
