/** The map as squares on a canvas: which square lies where, and how it looks. Drawn at most once a frame. */
import { colourAt } from "../../src/show/gradient.js";
import type { PictureData } from "../shared/protocol.js";
import { onColours, token } from "./dom.js";

/** Pixels from square to square, the largest that fit. */
const PITCHES = [32, 26, 20, 16, 13, 11, 9, 8];
const SMALLEST = 8;
const SMALLEST_WITH_DOT = 9;
const MOST_ROWS = 40;
const HEIGHT = 330;

interface Layout {
  columns: number;
  pitch: number;
  gap: number;
}

export class MapGrid {
  readonly canvas: HTMLCanvasElement;
  #picture: PictureData | undefined;
  #layout: Layout = { columns: 1, pitch: 1, gap: 0 };
  #marked: number | undefined;
  #frame = 0;
  #width = 0;

  /** @param onResize is told that there is room for more or fewer squares */
  constructor(canvas: HTMLCanvasElement, onResize: () => void) {
    this.canvas = canvas;
    onColours(() => this.#draw());
    new ResizeObserver(() => {
      if (canvas.clientWidth === this.#width || canvas.clientWidth === 0) return;
      this.#width = canvas.clientWidth;
      this.#draw();
      onResize();
    }).observe(canvas);
  }

  /** How many squares fit. */
  get mostCells(): number {
    return Math.max(1, Math.floor(this.canvas.clientWidth / SMALLEST)) * MOST_ROWS;
  }

  /** Whether squares are so large that what is out of order has a dot. */
  hasDots(cells: number): boolean {
    const { pitch, gap } = layoutOf(this.canvas.clientWidth, cells);
    return pitch - gap >= SMALLEST_WITH_DOT;
  }

  get columns(): number {
    return this.#layout.columns;
  }

  show(picture: PictureData | undefined): void {
    this.#picture = picture;
    this.#draw();
  }

  /** Frames one square, or none. */
  mark(cell: number | undefined): void {
    this.#marked = cell;
    this.#draw();
  }

  /** The square at a place on the canvas. */
  cellAt(x: number, y: number): number | undefined {
    const { columns, pitch } = this.#layout;
    const [column, row] = [Math.floor(x / pitch), Math.floor(y / pitch)];
    const cell = row * columns + column;
    const inside = column >= 0 && column < columns && cell >= 0 && cell < (this.#picture?.data.length ?? 0);
    return inside ? cell : undefined;
  }

  #draw(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#picture !== undefined && this.canvas.clientWidth > 0) this.#drawNow(this.#picture);
    });
  }

  #drawNow(picture: PictureData): void {
    const cells = picture.data.length;
    const layout = layoutOf(this.canvas.clientWidth, cells);
    this.#layout = layout;
    const height = Math.max(1, Math.ceil(cells / layout.columns)) * layout.pitch;
    const context = prepare(this.canvas, height);
    const zero = token("--map-zero");
    for (let cell = 0; cell < cells; cell++) drawCell(context, picture, cell, layout, zero);
    if (this.#marked !== undefined && this.#marked < cells) drawMark(context, this.#marked, layout);
  }
}

function layoutOf(width: number, cells: number): Layout {
  const pitch =
    PITCHES.find((pitch) => Math.ceil(cells / Math.floor(width / pitch)) * pitch <= HEIGHT) ?? PITCHES.at(-1)!;
  const columns = Math.max(1, Math.floor(width / pitch));
  return { columns, pitch: width / columns, gap: pitch >= 20 ? 3 : pitch >= 11 ? 2 : 1 };
}

/** Sizes a canvas for the screen's pixels; what is drawn then counts in those of the page. */
export function prepare(canvas: HTMLCanvasElement, height: number): CanvasRenderingContext2D {
  const scale = devicePixelRatio;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d")!;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

function drawCell(
  context: CanvasRenderingContext2D,
  picture: PictureData,
  cell: number,
  { columns, pitch, gap }: Layout,
  zero: string,
): void {
  const { data, beneath, breaks, cellSize, length } = picture;
  const [x, y, side] = [(cell % columns) * pitch, Math.floor(cell / columns) * pitch, pitch - gap];
  const radius = side >= 10 ? 2.5 : 1;
  square(context, x, y, side, side, radius, zero);
  const bytes = data[cell] + beneath[cell];
  if (bytes === 0) return;
  // A cell that is partly allocated is partly filled, from below; a little is still seen.
  const share = bytes / Math.min(cellSize, length - cell * cellSize);
  const height = Math.max(side / 5, side * Math.min(1, share));
  square(context, x, y + side - height, side, height, radius, colourOf(picture, cell));
  if (breaks[cell] > 0 && side >= SMALLEST_WITH_DOT)
    dot(context, x + side / 2, y + side - height / 2, Math.min(4, height / 5));
}

/** The colour of a cell: where its data lies in the file. */
export function colourOf({ data, beneath, place, dataOffset, fileSize }: PictureData, cell: number): string {
  if (beneath[cell] > data[cell]) return token("--map-beneath");
  return colourAt((place[cell] - dataOffset) / Math.max(1, fileSize - dataOffset));
}

function square(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
  fill: string,
): void {
  context.fillStyle = fill;
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(radius, height / 2));
  context.fill();
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.fillStyle = "rgb(255 255 255 / 90%)";
  context.beginPath();
  context.arc(x, y, Math.max(1, radius), 0, 2 * Math.PI);
  context.fill();
}

function drawMark(context: CanvasRenderingContext2D, cell: number, { columns, pitch, gap }: Layout): void {
  context.strokeStyle = token("--map-mark");
  context.lineWidth = 2;
  context.beginPath();
  const [x, y, side] = [(cell % columns) * pitch, Math.floor(cell / columns) * pitch, pitch - gap];
  context.roundRect(x + 0.5, y + 0.5, side - 1, side - 1, 2);
  context.stroke();
}
