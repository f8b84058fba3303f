/**
 * An image's tables: its header, the BAT in the engine, and what a survey found in them. An open disk may be given new
 * ones: whoever waited for a lock fetches them afresh.
 */
import type { Engine, ScanFacts } from "../engine/engine.js";
import { FLAG, type Header, IN_USE } from "../format/header.js";
import type { Vote } from "./data-offset.js";
import type { Extension } from "./extension.js";
import { Grid, sectorsToBytes } from "./grid.js";

export class Tables {
  /** Another one where the BAT becomes shorter. */
  engine: Engine;
  readonly header: Header;
  /** The header as the file has it, with bytes that no field covers. */
  readonly headerBytes: Uint8Array<ArrayBuffer>;
  /** A change of the header failed: the file may have either. */
  headerUnsure = false;
  grid: Grid;
  facts: ScanFacts;
  /** How many sectors behind its derived place the first cluster lies; kept once it was found. */
  phase: number | undefined;
  /** How the vote about the header's data offset went (data-offset.ts); kept once it was held. */
  vote: Vote | undefined;
  /** The format extension, if the header names one. */
  extension: Extension | undefined;
  /** Clusters that the header in the file may lead to for an extension, as writing it failed: their sectors. */
  readonly doubtful: number[] = [];
  /** Whoever closed the image knew the format extension: what it says of changes is up to date. */
  readonly closedAware: boolean;
  /** The header's empty flag is still set in the file; the BAT there is not to be believed. */
  emptyFlag: boolean;
  /**
   * The file's length up to which a repair has left alone what nothing refers to: it may be what a wrong entry meant. So
   * nothing is allocated below, and the file is not cut there. 0 for none.
   */
  spared = 0;

  constructor(engine: Engine, header: Header, headerBytes: Uint8Array<ArrayBuffer>, fileSize: number) {
    this.engine = engine;
    this.header = header;
    this.headerBytes = headerBytes;
    this.closedAware = header.inUse === IN_USE.closedV21;
    this.emptyFlag = (header.flags & FLAG.empty) !== 0;
    this.grid = new Grid(header, fileSize);
    this.facts = { allocated: 0, end: 0, below: 0, outside: 0, offGrid: 0, duplicates: 0 };
  }

  /** The disk's size in bytes. */
  get size(): number {
    return sectorsToBytes(this.header.sectorCount);
  }

  /** The guest cluster one past the disk's last one; the BAT may have fewer entries in a damaged image, or more. */
  get clusterCount(): number {
    return Math.ceil(this.size / this.grid.clusterSize);
  }

  /** One past the last byte of the file that is used. */
  get end(): number {
    return this.engine.end === 0 ? this.grid.dataStart : this.grid.hostOffsetOf(this.engine.end);
  }
}
