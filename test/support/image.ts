/** Images made by hand, field by field: what no disk would write. */
import { encodeHeader, type Format, type Header } from "../../src/format/header.js";
import { patternBytes } from "./random.js";

export interface Parts {
  format: Format;
  /** Sectors per cluster. */
  tracks: number;
  /** The host cluster of each guest cluster, or -1. */
  hosts: readonly number[];
  /** Header fields that are to be other than right. */
  header?: Partial<Header>;
  /** Clusters in the data area. Default: as many as `hosts` needs. */
  hostCount?: number;
  /** The content of the extension's cluster, which is appended; `withExtension` makes valid ones. */
  extension?: Uint8Array;
}

/** The offsets of the header's fields in the file, in bytes. */
export const FIELD = {
  version: 16,
  heads: 20,
  cylinders: 24,
  tracks: 28,
  batEntries: 32,
  sectorCountLow: 36,
  sectorCountHigh: 40,
  inUse: 44,
  dataOffset: 48,
  flags: 52,
  extensionLow: 56,
  extensionHigh: 60,
} as const;

/** The bytes of host cluster `host` in an image made here. */
export const hostBytes = (host: number, tracks: number): Uint8Array => patternBytes(host + 1000, tracks * 512);

/** An image whose data area begins at the cluster after its BAT, and whose host clusters all differ. */
export function makeImage(parts: Parts): Uint8Array<ArrayBuffer> {
  const { format, tracks, hosts, extension } = parts;
  const clusterSize = tracks * 512;
  const start = Math.ceil((64 + 4 * hosts.length) / clusterSize) * tracks;
  const hostCount = parts.hostCount ?? Math.max(0, ...hosts.map((host) => host + 1));
  const file = new Uint8Array(start * 512 + (hostCount + (extension ? 1 : 0)) * clusterSize);
  for (let host = 0; host < hostCount; host++) file.set(hostBytes(host, tracks), start * 512 + host * clusterSize);
  if (extension) file.set(extension, start * 512 + hostCount * clusterSize);
  file.set(
    encodeHeader({
      format,
      heads: 16,
      cylinders: 1,
      tracks,
      batEntries: hosts.length,
      sectorCount: hosts.length * tracks,
      inUse: 0,
      dataOffset: start,
      flags: 0,
      extensionOffset: extension ? start + hostCount * tracks : 0,
      ...parts.header,
    }),
  );
  const unit = format === "v1" ? 1 : tracks;
  for (const [guest, host] of hosts.entries()) setEntry(file, guest, host < 0 ? 0 : (start + host * tracks) / unit);
  return file;
}

export function setEntry(file: Uint8Array, guest: number, entry: number): void {
  setField(file, 64 + 4 * guest, entry);
}

export function setField(file: Uint8Array, offset: number, value: number): void {
  new DataView(file.buffer, file.byteOffset).setUint32(offset, value, true);
}

export const fieldOf = (file: Uint8Array, offset: number): number =>
  new DataView(file.buffer, file.byteOffset).getUint32(offset, true);
