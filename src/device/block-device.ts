/**
 * The one interface of everything that has guest bytes: disks of both faces, raw storages, concatenations, a disk in a
 * worker, what emulators are given, what lies beneath a copy-on-write disk.
 *
 * What a device cannot do is a member that it does not have: there is no other way in which a capability is optional. Who
 * wraps a device passes on what it does not know.
 */

/** A run of guest bytes that one layer holds in one piece, or that reads as zeros. */
export interface Extent {
  /** First byte on the device. */
  offset: number;
  /** In bytes; at least 1. */
  length: number;
  /** "zero" is known to read as zeros; "data" may be anything. */
  kind: "data" | "zero";
  /** Who says so: 0 is the device's own image, 1 what lies directly beneath, and so on; where nobody holds it, the lowest that was asked. */
  layer: number;
  /** Where it lies in that layer's file, in bytes, where it has a place there; what was written since the last flush may not be there yet. */
  fileOffset?: number;
}

/** What every device has, whichever way it answers. */
interface Described {
  /** In bytes. */
  readonly size: number;
  /** A name for messages. */
  readonly path?: string | undefined;
  /** Nothing can be changed. */
  readonly readOnly?: boolean;
  /** Counts the changes of its bytes, whoever makes them: what was read stays true for as long as the count does. */
  readonly generation?: number;
  /** The unit in which it allocates, in bytes. */
  readonly clusterSize?: number;
}

/** A device whose verbs answer with promises. */
export interface BlockDevice extends Described {
  /** Fills `buffer` with the bytes at `offset`. @throws RangeError beyond the device */
  read(buffer: Uint8Array, offset: number): Promise<void>;
  /** Stores the bytes of `buffer` at `offset`; the buffer must not change before this resolves. */
  write?(buffer: Uint8Array, offset: number): Promise<void>;
  /** Makes a range read as zeros, whichever way is cheapest. */
  writeZeroes?(offset: number, length: number): Promise<void>;
  /** Gives up a range that nobody needs: it may read as zeros afterwards, or as before. */
  discard?(offset: number, length: number): Promise<void>;
  /** Makes durable what was written before. */
  flush?(): Promise<void>;
  /**
   * What lies where in a range (default: to the device's end): runs in order, without gaps, from `offset` on. Bounded: a
   * range of more than `limit` runs is answered in part. At least one run for a range that is not empty.
   */
  status?(offset?: number, length?: number, limit?: number): Promise<Extent[]>;
  /** Gives it another size, in bytes. */
  resize?(size: number): Promise<void>;
  close?(): Promise<void>;
}

/** A device that answers at once. */
export interface BlockDeviceSync extends Described {
  read(buffer: Uint8Array, offset: number): void;
  write?(buffer: Uint8Array, offset: number): void;
  writeZeroes?(offset: number, length: number): void;
  discard?(offset: number, length: number): void;
  flush?(): void;
  status?(offset?: number, length?: number, limit?: number): Extent[];
  resize?(size: number): void;
  close?(): void;
}

/** A device of either kind. */
export type AnyDevice = BlockDevice | BlockDeviceSync;

/** How many runs `status` answers where nobody says: some hundred bytes of memory each. */
export const STATUS_LIMIT = 4096;
