/**
 * What a picture of an allocation shows, in bounded memory: the disk as a grid of cells, each a whole number of
 * clusters, and the file as a strip of slots. Millions of extents become a few thousand cells.
 */
import type { Extent } from "../index.js";

/** A part of the disk. */
export interface Cell {
  /** Bytes that the image holds. */
  data: number;
  /** Bytes that its base holds. */
  base: number;
  /** Mean place of the data in the file, in bytes. */
  filePosition: number;
  /** Extents that begin here and do not follow their predecessor in the file. */
  breaks: number;
}

/** Cells at most: 32 rows of 64. */
const MAX_CELLS = 2048;
/** Slots of the strip that stands for the file. */
export const SLOTS = 448;

export class Picture {
  readonly size: number;
  readonly clusterSize: number;
  readonly fileSize: number;
  readonly dataOffset: number;
  /** Guest bytes in a cell. */
  readonly cellSize: number;
  readonly cells: readonly Cell[];
  /** Bytes of data in each part of the file. */
  readonly slots = new Float64Array(SLOTS);
  extents = 0;
  dataBytes = 0;
  baseBytes = 0;
  /** Where the file goes on if the next extent follows. */
  #follows: number | undefined;
  breaks = 0;

  constructor(size: number, clusterSize: number, fileSize: number, dataOffset: number) {
    this.size = size;
    this.clusterSize = clusterSize;
    this.fileSize = fileSize;
    this.dataOffset = dataOffset;
    this.cellSize = clusterSize * 2 ** Math.max(0, Math.ceil(Math.log2(size / clusterSize / MAX_CELLS)));
    this.cells = Array.from({ length: Math.ceil(size / this.cellSize) }, () => ({
      data: 0,
      base: 0,
      filePosition: 0,
      breaks: 0,
    }));
  }

  /** Adds the next extent; they come in order. */
  add({ offset, length, kind, layer, fileOffset }: Extent): void {
    if (fileOffset === undefined || kind === "zero") return;
    if (layer > 0) {
      this.baseBytes += length;
      this.#eachCell(offset, length, (cell, part) => {
        cell.base += part;
      });
      return;
    }
    this.#countBreak(offset, length, fileOffset);
    this.dataBytes += length;
    this.#eachCell(offset, length, (cell, part, at) => {
      const middle = fileOffset + at - offset + part / 2;
      cell.filePosition = (cell.filePosition * cell.data + middle * part) / (cell.data + part);
      cell.data += part;
    });
    this.#fillSlots(fileOffset, length);
  }

  #countBreak(offset: number, length: number, fileOffset: number): void {
    this.extents++;
    if (this.#follows !== undefined && this.#follows !== fileOffset) {
      this.breaks++;
      this.cells[Math.floor(offset / this.cellSize)].breaks++;
    }
    this.#follows = fileOffset + length;
  }

  #eachCell(offset: number, length: number, add: (cell: Cell, part: number, at: number) => void): void {
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / this.cellSize);
      const part = Math.min(end, (index + 1) * this.cellSize) - at;
      add(this.cells[index], part, at);
      at += part;
    }
  }

  #fillSlots(fileOffset: number, length: number): void {
    const slotSize = this.fileSize / SLOTS;
    const end = Math.min(fileOffset + length, this.fileSize);
    for (let slot = Math.floor(fileOffset / slotSize); slot < SLOTS && slot * slotSize < end; slot++) {
      this.slots[slot] += Math.min(end, (slot + 1) * slotSize) - Math.max(fileOffset, slot * slotSize);
    }
  }
}
