/**
 * Where an image's clusters lie: the arithmetic between guest offsets, BAT entries, host clusters and bytes of the file.
 * A *host cluster* counts the data area's clusters from 0; an *entry* is what the BAT holds for it. Where a v1 header
 * does not say where the data area begins, its clusters may lie a *phase* behind what is derived (phase.ts).
 */
import type { Grid as EngineGrid } from "../engine/engine.js";
import { dataStart, type Header, SECTOR_SIZE } from "../format/header.js";

export class Grid implements EngineGrid {
  /** In bytes. */
  readonly clusterSize: number;
  /** Bytes per entry unit: a sector in v1, a cluster in v2. */
  readonly entryUnit: number;
  /** Entry units between neighbouring clusters. */
  readonly step: number;
  /** Where the data area begins, in sectors and in bytes; the phase lies behind it. */
  readonly dataSector: number;
  readonly dataStart: number;
  /** The header's data offset is one that the format allows, and that the entries bear out. */
  readonly dataStartValid: boolean;
  /** The header does not say where the first cluster lies: it may have a phase. */
  readonly isDerived: boolean;
  /** The entry of host cluster 0. */
  readonly origin: number;
  /** The highest entry whose cluster lies wholly inside the file; 0 if there is none. */
  readonly lastEntry: number;
  readonly hostLimit: number;
  readonly floor: number;

  /**
   * @param phase in sectors
   * @param spared the file's length up to which nothing is allocated, in bytes
   * @param outvoted a data offset that is not to be believed, in sectors
   */
  constructor(header: Header, fileSize: number, phase = 0, spared = 0, outvoted?: number) {
    const { format, tracks } = header;
    const { sector, valid } = dataStart(header, fileSize, outvoted);
    this.clusterSize = sectorsToBytes(tracks);
    this.entryUnit = format === "v1" ? SECTOR_SIZE : this.clusterSize;
    this.step = format === "v1" ? tracks : 1;
    this.dataSector = sector;
    this.dataStart = sectorsToBytes(sector);
    this.dataStartValid = valid;
    this.isDerived = format === "v1" && (header.dataOffset === 0 || !valid);
    const first = this.isDerived ? sector + phase : sector;
    this.origin = Math.ceil(sectorsToBytes(first) / this.entryUnit);
    this.lastEntry = this.lastEntryIn(fileSize);
    this.hostLimit = Math.max(0, Math.floor((this.#maxEntry() - this.origin) / this.step) + 1);
    const lowest = Math.ceil((spared - this.origin * this.entryUnit) / this.clusterSize);
    this.floor = Math.min(Math.max(0, lowest), this.hostLimit);
  }

  /** The guest cluster of an offset. */
  clusterOf(guestOffset: number): number {
    return Math.floor(guestOffset / this.clusterSize);
  }

  /** Where the cluster of an entry lies in the file. */
  fileOffsetOf(entry: number): number {
    return entry * this.entryUnit;
  }

  hostClusterOf(entry: number): number {
    return (entry - this.origin) / this.step;
  }

  /** The host cluster that begins at a sector of the file; a fraction where none does. */
  hostClusterAt(sector: number): number {
    return this.hostClusterOf(sectorsToBytes(sector) / this.entryUnit);
  }

  /** Where a host cluster lies in the file. */
  hostOffsetOf(hostCluster: number): number {
    return (this.origin + hostCluster * this.step) * this.entryUnit;
  }

  /** The highest entry whose cluster lies wholly in a file of that size. */
  lastEntryIn(fileSize: number): number {
    const sectors = Math.floor(fileSize / SECTOR_SIZE) - this.clusterSize / SECTOR_SIZE;
    return Math.max(0, Math.min(Math.floor(sectorsToBytes(sectors) / this.entryUnit), this.#maxEntry()));
  }

  /** Whether bytes of one cluster, or of neighbours, lie in the data area of a file of that size. */
  isInside(guestOffset: number, fileOffset: number, length: number, fileSize: number): boolean {
    return fileOffset - (guestOffset % this.clusterSize) >= this.dataStart && fileOffset + length <= fileSize;
  }

  /** The highest entry that 32 bits and exact numbers allow. */
  #maxEntry(): number {
    return Math.min(2 ** 32 - 1, Math.floor(Number.MAX_SAFE_INTEGER / this.entryUnit) - this.step);
  }
}

export const sectorsToBytes = (sectors: number): number => sectors * SECTOR_SIZE;
