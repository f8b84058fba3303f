/**
 * Draws an allocation as SVG: the disk as a grid, read like a page, coloured by the place in the file; the file as a
 * strip below, whose colours are the legend. An image in order is one smooth gradient; what is out of order shows.
 */

import { counted } from "../count.js";
import { printable } from "../printable.js";
import { colourAt, GRADIENT } from "../show/gradient.js";
import { type Cell, type Picture, SLOTS } from "./picture.js";
import { formatShare, formatSize } from "./size.js";

const MARGIN = 32;
const LABELS = 72;
const GRID_WIDTH = 896;
const GRID_LEFT = MARGIN + LABELS;
const WIDTH = GRID_LEFT + GRID_WIDTH + MARGIN;
const GRID_TOP = 104;

const LONGEST_NAME = 70;

const INK = "#1c2733";
const QUIET = "#66758a";
const ZERO = "#edf0f4";
const METADATA = "#3c4858";

/** @param name what the picture is of; @param format the image's version; of a bundle, which is several images, none */
export function drawPicture(picture: Picture, name: string, format: string | undefined): string {
  const columns = picture.cells.length <= 64 ? 16 : picture.cells.length <= 512 ? 32 : 64;
  const pitch = GRID_WIDTH / columns;
  const gridHeight = Math.max(1, Math.ceil(picture.cells.length / columns)) * pitch;
  const stripTop = GRID_TOP + gridHeight + 52;
  const height = stripTop + 128;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-size="13">`,
    `<title>${escapeXml(name)}: what lies where</title>`,
    definitions(),
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...heading(picture, name, format),
    ...rowLabels(picture, columns, pitch),
    ...picture.cells.flatMap((cell, index) => drawCell(picture, cell, index, columns, pitch)),
    ...strip(picture, stripTop, format === undefined ? "the disk" : "the file"),
    caption(picture, GRID_TOP + gridHeight + 18),
    ...legend(picture, stripTop + 92, format === undefined),
    "</svg>\n",
  ].join("\n");
}

function definitions(): string {
  const stops = GRADIENT.map(
    (colour, index) => `<stop offset="${index / (GRADIENT.length - 1)}" stop-color="${colour}"/>`,
  );
  return `<defs><linearGradient id="file">${stops.join("")}</linearGradient><pattern id="base" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="#dbe1ea"/><rect width="2" height="5" fill="#a9b5c6"/></pattern></defs>`;
}

function heading(picture: Picture, name: string, format: string | undefined): string[] {
  const { size, clusterSize, dataBytes, extents, breaks } = picture;
  const facts = [
    `${formatSize(size)} disk, ${format === undefined ? "a bundle" : `format ${format}`}, clusters of ${formatSize(clusterSize)}`,
    `${formatSize(dataBytes)} allocated (${formatShare(dataBytes, size)})`,
    `${counted(extents, "extent")}${breaks === 0 ? ", all in order" : `, ${breaks} out of order`}`,
  ];
  return [
    text(MARGIN, 46, shorten(name), `font-size="22" font-weight="600" fill="${INK}"`),
    text(MARGIN, 70, facts.join("  ·  "), `fill="${QUIET}"`),
  ];
}

/** The guest offset at which a row begins: on every row, or every fourth where rows are low. */
function rowLabels({ cells, cellSize }: Picture, columns: number, pitch: number): string[] {
  const rows = Math.ceil(cells.length / columns);
  const every = pitch >= 28 ? 1 : 4;
  const labels: string[] = [];
  for (let row = 0; row < rows; row += every) {
    const y = GRID_TOP + row * pitch + Math.min(pitch / 2, 14) + 4;
    labels.push(
      text(GRID_LEFT - 10, y, formatSize(row * columns * cellSize), `text-anchor="end" font-size="11" fill="${QUIET}"`),
    );
  }
  return labels;
}

function drawCell(picture: Picture, cell: Cell, index: number, columns: number, pitch: number): string[] {
  const gap = pitch >= 28 ? 3 : 2;
  const x = GRID_LEFT + (index % columns) * pitch;
  const y = GRID_TOP + Math.floor(index / columns) * pitch;
  const side = pitch - gap;
  const square = (fill: string, top = 0, height = side) =>
    `<rect x="${round(x)}" y="${round(y + top)}" width="${side}" height="${round(height)}" rx="${pitch >= 28 ? 3 : 2}" fill="${fill}"/>`;
  const bytes = Math.min(picture.cellSize, picture.size - index * picture.cellSize);
  const shapes = [square(cell.base > 0 ? "url(#base)" : ZERO)];
  if (cell.data > 0) {
    // A cell that is partly allocated is partly filled, from below; a little is still seen.
    const height = Math.max(side / 5, (side * cell.data) / bytes);
    shapes.push(square(colourOf(picture, cell.filePosition), side - height, height));
    if (cell.breaks > 0) shapes.push(dot(x + side / 2, y + side - height / 2, breakRadius(picture, cell, height)));
  }
  return shapes;
}

/** Larger the more of the cell's clusters are out of order. */
function breakRadius({ cellSize, clusterSize }: Picture, cell: Cell, height: number): number {
  const share = Math.min(1, cell.breaks / (cellSize / clusterSize));
  return Math.min(5, height * (0.12 + 0.13 * share));
}

function dot(x: number, y: number, radius: number): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${round(radius)}" fill="#fff" fill-opacity="0.9"/>`;
}

/** The file, front to end: header and BAT dark, data in its colours, what the disk does not use left blank. */
function strip(picture: Picture, top: number, name: string): string[] {
  const slotSize = picture.fileSize / SLOTS;
  const metadataWidth = Math.max(2, (GRID_WIDTH * picture.dataOffset) / Math.max(1, picture.fileSize));
  const shapes = [
    text(GRID_LEFT - 10, top + 17, name, `text-anchor="end" font-size="11" fill="${QUIET}"`),
    `<rect x="${GRID_LEFT}" y="${top}" width="${GRID_WIDTH}" height="26" rx="3" fill="${ZERO}"/>`,
  ];
  for (const [from, to] of filledRuns(picture.slots, slotSize)) {
    shapes.push(...gradientPieces(picture, from, to, top));
  }
  if (picture.dataOffset > 0)
    shapes.push(
      `<rect x="${GRID_LEFT}" y="${top}" width="${round(Math.min(metadataWidth, GRID_WIDTH))}" height="26" rx="1" fill="${METADATA}"/>`,
    );
  for (let quarter = 0; quarter <= 4; quarter++) {
    const anchor = quarter === 0 ? "start" : quarter === 4 ? "end" : "middle";
    const x = GRID_LEFT + (GRID_WIDTH * quarter) / 4;
    shapes.push(
      text(
        x,
        top + 44,
        formatSize(Math.round((picture.fileSize * quarter) / 4)),
        `text-anchor="${anchor}" font-size="11" fill="${QUIET}"`,
      ),
    );
  }
  return shapes;
}

/** Runs of slots of which the disk uses anything, as [first, end). */
function filledRuns(slots: Float64Array, slotSize: number): [number, number][] {
  const runs: [number, number][] = [];
  for (const [slot, bytes] of slots.entries()) {
    if (bytes < slotSize / 100) continue;
    const last = runs[runs.length - 1];
    if (last?.[1] === slot) last[1]++;
    else runs.push([slot, slot + 1]);
  }
  return runs;
}

/** Short rectangles, each of one colour: renders alike everywhere. */
function gradientPieces(picture: Picture, from: number, to: number, top: number): string[] {
  const slotWidth = GRID_WIDTH / SLOTS;
  const pieces: string[] = [];
  for (let slot = from; slot < to; slot += 4) {
    const end = Math.min(to, slot + 4);
    const overlap = end < to ? 0.5 : 0;
    pieces.push(
      `<rect x="${round(GRID_LEFT + slot * slotWidth)}" y="${top}" width="${round((end - slot) * slotWidth + overlap)}" height="26" fill="${colourOf(picture, (picture.fileSize * (slot + end)) / 2 / SLOTS)}"/>`,
    );
  }
  return pieces;
}

/** How much a square stands for. */
function caption({ cellSize, clusterSize }: Picture, y: number): string {
  const clusters = cellSize / clusterSize;
  const content = `one square: ${formatSize(cellSize)}${clusters > 1 ? `, ${counted(clusters, "cluster")}` : ""}`;
  return text(GRID_LEFT + GRID_WIDTH, y, content, `text-anchor="end" font-size="11" fill="${QUIET}"`);
}

function legend(picture: Picture, y: number, bundle: boolean): string[] {
  const entries: [swatch: (x: number) => string, label: string][] = [
    [
      (x) => swatch(x, y, "url(#file)", 36),
      bundle ? "data on top, by place on the disk" : "data, by place in the file",
    ],
    [(x) => swatch(x, y, ZERO, 14), "nothing allocated: zeros"],
  ];
  if (picture.baseBytes > 0)
    entries.push([(x) => swatch(x, y, "url(#base)", 14), bundle ? "in a snapshot beneath" : "in the base"]);
  if (picture.breaks > 0)
    entries.push([(x) => swatch(x, y, colourAt(0.15), 14) + dot(x + 7, y - 4, 3), "does not follow its predecessor"]);
  if (!bundle) entries.push([(x) => swatch(x, y, METADATA, 14), "header and BAT"]);
  const shapes: string[] = [];
  let x = GRID_LEFT;
  for (const [draw, label] of entries) {
    const width = entries[0][0] === draw ? 36 : 14;
    shapes.push(draw(x), text(x + width + 7, y, label, `font-size="12" fill="${INK}"`));
    x += width + 7 + label.length * 6.1 + 18;
  }
  return shapes;
}

function swatch(x: number, y: number, fill: string, width: number): string {
  return `<rect x="${round(x)}" y="${y - 11}" width="${width}" height="14" rx="2" fill="${fill}"/>`;
}

/** The colour of a place in the file: the gradient spans the data area. */
function colourOf({ dataOffset, fileSize }: Picture, position: number): string {
  return colourAt((position - dataOffset) / Math.max(1, fileSize - dataOffset));
}

function shorten(name: string): string {
  return name.length <= LONGEST_NAME
    ? name
    : `${name.slice(0, LONGEST_NAME / 2)}\u2026${name.slice(-LONGEST_NAME / 2)}`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeXml(content: string): string {
  return printable(content).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
