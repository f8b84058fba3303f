/** Draws nothing: adds up what lies where, so that millions of clusters become as many numbers as there are cells. */
import type { AnyDevice, Extent } from "../../src/index.js";
import { type PictureData, type PictureRequest, SLOTS } from "../shared/protocol.js";

/** What is mapped: of one image its file, too. */
export interface Mapped {
  device: AnyDevice;
  clusterSize: number;
  file: { fileSize: number; dataOffset: number } | undefined;
}

/** The runs of a range's beginning. */
const runsOf = async ({ device }: Mapped, offset: number, length: number): Promise<Extent[]> =>
  (await device.status?.(offset, length)) ?? [];

export async function pictureOf(disk: Mapped, request: Omit<PictureRequest, "id">): Promise<PictureData> {
  const { clusterSize, device, file } = disk;
  const offset = Math.floor(request.offset / clusterSize) * clusterSize;
  const length = Math.min(request.length, device.size - offset);
  const picture = emptyPicture(
    offset,
    length,
    cellSizeFor(length / clusterSize, request.mostCells) * clusterSize,
    file ?? { fileSize: device.size, dataOffset: 0 },
  );
  let before: { end: number; fileEnd: number } | undefined;
  for (let at = offset; at < offset + length; ) {
    for (const run of await runsOf(disk, at, offset + length - at)) {
      at = run.offset + run.length;
      if (run.fileOffset === undefined || run.kind === "zero") continue;
      if (run.layer > 0 || file === undefined) {
        addLayered(picture, run.offset - offset, run.length, run.layer, run.offset);
        continue;
      }
      const follows = before === undefined || before.fileEnd === run.fileOffset;
      if (!follows) picture.breaks[Math.floor((run.offset - offset) / picture.cellSize)]++;
      // A batch's end may have cut an extent.
      if (!follows || before?.end !== run.offset) picture.extents++;
      before = { end: run.offset + run.length, fileEnd: run.fileOffset + run.length };
      addRun(picture, run.offset - offset, run.length, run.fileOffset);
    }
    await breath();
  }
  return picture;
}

/** Clusters a cell: a power of two. */
function cellSizeFor(clusters: number, mostCells: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(clusters / mostCells)));
}

function emptyPicture(
  offset: number,
  length: number,
  cellSize: number,
  file: NonNullable<Mapped["file"]>,
): PictureData {
  const cells = Math.ceil(length / cellSize);
  return {
    offset,
    length,
    cellSize,
    data: new Float64Array(cells),
    beneath: new Float64Array(cells),
    place: new Float64Array(cells),
    breaks: new Uint32Array(cells),
    slots: new Float64Array(SLOTS),
    extents: 0,
    fileSize: file.fileSize,
    dataOffset: file.dataOffset,
  };
}

function addRun(picture: PictureData, from: number, length: number, fileOffset: number): void {
  const { cellSize, data, place } = picture;
  const end = from + length;
  for (let at = from; at < end; ) {
    const cell = Math.floor(at / cellSize);
    const part = Math.min(end, (cell + 1) * cellSize) - at;
    if (data[cell] === 0) place[cell] = fileOffset + at - from + part / 2;
    data[cell] += part;
    at += part;
  }
  fillSlots(picture, fileOffset, length);
}

/** Adds what lies in one of several layers; its place is that on the disk, as no one file has it. */
function addLayered(picture: PictureData, from: number, length: number, layer: number, place: number): void {
  const { cellSize, data, beneath } = picture;
  picture.extents++;
  const end = from + length;
  for (let at = from; at < end; ) {
    const cell = Math.floor(at / cellSize);
    const part = Math.min(end, (cell + 1) * cellSize) - at;
    if (data[cell] + beneath[cell] === 0) picture.place[cell] = place + at - from;
    (layer === 0 ? data : beneath)[cell] += part;
    at += part;
  }
}

function fillSlots({ slots, fileSize }: PictureData, fileOffset: number, length: number): void {
  const slotSize = fileSize / SLOTS;
  const end = Math.min(fileOffset + length, fileSize);
  for (let slot = Math.floor(fileOffset / slotSize); slot < SLOTS && slot * slotSize < end; slot++) {
    slots[slot] += Math.min(end, (slot + 1) * slotSize) - Math.max(fileOffset, slot * slotSize);
  }
}

/** The first extent with data in a range, or else what lies at its start; whole, however far it reaches. */
export async function extentAt(disk: Mapped, offset: number, length: number): Promise<Extent> {
  const runs = await runsOf(disk, offset, Math.min(length, disk.device.size - offset));
  let extent = runs.find(({ kind }) => kind === "data") ?? runs[0];
  const place = extent.offset;
  // Looks to both sides in steps that double while all that comes belongs to it.
  for (let step = disk.clusterSize; ; step *= 2) {
    const from = Math.max(0, extent.offset - step);
    const to = Math.min(disk.device.size, extent.offset + extent.length + step);
    const around = await runsOf(disk, from, to - from);
    extent = around.find((run) => run.offset <= place && place < run.offset + run.length) ?? extent;
    const begins = extent.offset > from || from === 0;
    if (begins && (extent.offset + extent.length < to || to === disk.device.size)) return extent;
  }
}

/** Lets messages of others come in between. */
function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
