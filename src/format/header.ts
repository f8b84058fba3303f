/**
 * The 64-byte header: bytes <-> Header, and which values are valid (docs/format.md).
 *
 * ```
 *  0        16       20     24         28      32           36          44      48        52     56
 * | magic  | version | heads | cylinders | tracks | bat_entries | nb_sectors | in_use | data_off | flags | ext_off |
 * ```
 */
import { takeBuffer } from "../buffers.js";
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { recognise } from "./foreign.js";

export const SECTOR_SIZE = 512;
export const HEADER_SIZE = 64;

/** `WithoutFreeSpace` (v1: entries count sectors) or `WithouFreSpacExt` (v2: entries count clusters). */
export type Format = "v1" | "v2";

const MAGICS: Record<Format, string> = { v1: "WithoutFreeSpace", v2: "WithouFreSpacExt" };
const VERSION = 2;
const MAX_INT32 = 2 ** 31 - 1;

/** The most sectors a cluster may have: its byte count must fit a signed 32-bit number with room to spare. */
export const MAX_CLUSTER_SECTORS = Math.floor(MAX_INT32 / 513);
/** The most BAT entries an image may have: the BAT's byte count must fit a signed 32-bit number. */
export const MAX_BAT_ENTRIES = Math.floor(MAX_INT32 / 4);

/** Values of `inUse` with a meaning; any other means closed cleanly. */
export const IN_USE = { open: 0x746f6e59, closedV21: 0x312e3276, closed: 0 } as const;
/** Bits of `flags`. */
export const FLAG = { empty: 1, converting: 2 } as const;

const FIELD = {
  version: 16,
  heads: 20,
  cylinders: 24,
  tracks: 28,
  batEntries: 32,
  sectorCount: 36,
  inUse: 44,
  dataOffset: 48,
  flags: 52,
  extensionOffset: 56,
} as const;

/** The header's fields, in the format's own units. */
export interface Header {
  format: Format;
  heads: number;
  cylinders: number;
  /** Sectors per cluster. */
  tracks: number;
  batEntries: number;
  /** The disk's size in sectors. */
  sectorCount: number;
  inUse: number;
  /** First sector of the data area; 0 in v1 means "derive it". */
  dataOffset: number;
  flags: number;
  /** Sector of the format extension, 0 for none. */
  extensionOffset: number;
}

/** The format that the first bytes of a file name, or undefined if it is no Parallels image. @throws TypeError */
export function probe(bytes: Uint8Array): Format | undefined {
  const magic = String.fromCharCode(...takeBuffer(bytes).subarray(0, 16));
  return magic === MAGICS.v1 ? "v1" : magic === MAGICS.v2 ? "v2" : undefined;
}

/**
 * Decodes a header without judging its fields.
 * @param bytes the file's first 64 bytes, or fewer if it is shorter
 * @throws DiskError NOT_PARALLELS, TRUNCATED; TOO_LARGE for 64-bit fields beyond exact numbers
 */
export function decodeHeader(bytes: Uint8Array): Header {
  const format = probe(bytes);
  if (format === undefined) throw notParallels(bytes);
  if (bytes.length < HEADER_SIZE) {
    throw new DiskError(
      "TRUNCATED",
      `the file has ${counted(bytes.length, "byte")}, its header alone needs ${HEADER_SIZE}: restore it from a backup`,
      {
        expected: HEADER_SIZE,
        got: bytes.length,
      },
    );
  }
  const view = viewOf(bytes);
  const u32 = (offset: number) => view.getUint32(offset, true);
  if (u32(FIELD.version) !== VERSION) throw badField("version", `${VERSION}`, u32(FIELD.version));
  return {
    format,
    heads: u32(FIELD.heads),
    cylinders: u32(FIELD.cylinders),
    tracks: u32(FIELD.tracks),
    batEntries: u32(FIELD.batEntries),
    sectorCount: format === "v1" ? u32(FIELD.sectorCount) : sectorField(view, FIELD.sectorCount, "disk size"),
    inUse: u32(FIELD.inUse),
    dataOffset: u32(FIELD.dataOffset),
    flags: u32(FIELD.flags),
    extensionOffset: sectorField(view, FIELD.extensionOffset, "extension offset"),
  };
}

/** Encodes a header; the inverse of `decodeHeader`. */
export function encodeHeader(header: Header): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_SIZE);
  for (let i = 0; i < 16; i++) bytes[i] = MAGICS[header.format].charCodeAt(i);
  const view = viewOf(bytes);
  view.setUint32(FIELD.version, VERSION, true);
  for (const name of ["heads", "cylinders", "tracks", "batEntries", "inUse", "dataOffset", "flags"] as const) {
    view.setUint32(FIELD[name], header[name], true);
  }
  for (const name of ["sectorCount", "extensionOffset"] as const) {
    view.setUint32(FIELD[name], header[name] % 2 ** 32, true);
    view.setUint32(FIELD[name] + 4, Math.floor(header[name] / 2 ** 32), true);
  }
  return bytes;
}

/**
 * Checks the fields that everything else is computed from, and that the BAT lies inside the file.
 * A wrong `data_off` is not refused here: the data is still reachable (see `dataStart`).
 * @throws DiskError BAD_HEADER, TRUNCATED
 */
export function validateHeader(header: Header, fileSize: number): void {
  const { tracks, batEntries } = header;
  if (tracks === 0) throw badField("sectors per cluster", "at least 1", tracks);
  if (tracks > MAX_CLUSTER_SECTORS) throw badField("sectors per cluster", `at most ${MAX_CLUSTER_SECTORS}`, tracks);
  if (batEntries > MAX_BAT_ENTRIES) throw badField("BAT entries", `at most ${MAX_BAT_ENTRIES}`, batEntries);
  const batEnd = HEADER_SIZE + 4 * batEntries;
  if (batEnd > fileSize) {
    throw new DiskError(
      "TRUNCATED",
      `the BAT of ${counted(batEntries, "entry", "entries")} ends at byte ${batEnd}, the file at ${fileSize}: it was cut short, restore it from a backup`,
      { expected: batEnd, got: fileSize },
    );
  }
}

/**
 * Where the data area begins, in sectors, and whether the header says so correctly.
 * @param outvoted a data offset that is not to be believed, though the format allows it
 */
export function dataStart(header: Header, fileSize: number, outvoted?: number): { sector: number; valid: boolean } {
  const { format, tracks, batEntries, dataOffset } = header;
  const batEndSector = Math.ceil((HEADER_SIZE + 4 * batEntries) / SECTOR_SIZE);
  const derived = format === "v1" ? batEndSector : Math.ceil(batEndSector / tracks) * tracks;
  if (dataOffset === 0 && format === "v1") return { sector: derived, valid: true };
  const offGrid = format === "v2" && dataOffset % tracks !== 0;
  const isPossible = dataOffset >= batEndSector && dataOffset <= fileSize / SECTOR_SIZE && !offGrid;
  const valid = isPossible && dataOffset !== outvoted;
  return { sector: valid ? dataOffset : derived, valid };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit sector number whose byte offset must stay exact. */
function sectorField(view: DataView, offset: number, name: string): number {
  const sector = view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
  if (sector * SECTOR_SIZE <= Number.MAX_SAFE_INTEGER) return sector;
  throw new DiskError(
    "TOO_LARGE",
    `the header's ${name} is ${counted(sector, "sector")}, more than the 2^53 bytes that can be addressed exactly`,
    {
      field: name,
      got: sector,
    },
  );
}

function badField(name: string, expected: string, got: number): DiskError {
  return new DiskError(
    "BAD_HEADER",
    `the header's ${name} should be ${expected}, but is ${got}: this is not a valid Parallels image`,
    {
      field: name,
      expected,
      got,
    },
  );
}

function notParallels(bytes: Uint8Array): DiskError {
  const foreign = recognise(bytes);
  const found = bytes.length === 0 ? "the file is empty" : `it begins with ${hex(bytes.subarray(0, 16))}`;
  return new DiskError(
    "NOT_PARALLELS",
    foreign === undefined
      ? `this is not a Parallels image: ${found}, not with "${MAGICS.v1}" or "${MAGICS.v2}"`
      : `this is not a Parallels image, it is ${foreign.name}: ${foreign.advice}`,
    {
      expected: Object.values(MAGICS),
      got: hex(bytes.subarray(0, 16)),
    },
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
