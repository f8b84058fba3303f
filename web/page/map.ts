/**
 * The allocation map: asks the worker for a picture of the part that is shown, tells what lies under the pointer or
 * under the keyboard's mark, zooms. Of pictures and extents only the last one asked for counts.
 */

import type { Extent } from "../../src/index.js";
import { formatShare, formatSize } from "../../src/show/units.js";
import type { PictureData } from "../shared/protocol.js";
import { grouped, make, many, part } from "./dom.js";
import { colourOf, MapGrid } from "./map-grid.js";
import { MapStrip } from "./map-strip.js";
import { type View, zoomedIn, zoomedOut } from "./map-view.js";
import type { Session } from "./session.js";

/** A guest that writes all the time has its map drawn anew this often, in milliseconds. */
const REFRESH_DELAY = 400;

export class MapPanel {
  readonly #session: Session;
  readonly #canvas = part("map", HTMLCanvasElement);
  readonly #grid = new MapGrid(this.#canvas, () => this.#refresh());
  readonly #strip = new MapStrip();
  #view: View = { offset: 0, length: 0 };
  #picture: PictureData | undefined;
  #marked = 0;
  #asking = false;
  #askAgain = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #extentsAsked = 0;

  constructor(session: Session) {
    this.#session = session;
    session.onChange(() => this.#begin());
    session.onWrite(() => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#refresh();
      }, REFRESH_DELAY);
    });
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.#canvas.addEventListener("pointerdown", (event) => this.#point(event));
    this.#canvas.addEventListener("dblclick", () => this.#zoom("in"));
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    part("zoom-in").addEventListener("click", () => this.#zoom("in"));
    part("zoom-out").addEventListener("click", () => this.#zoom("out"));
    part("zoom-all").addEventListener("click", () => this.#zoom("all"));
  }

  #begin(): void {
    const { current } = this.#session;
    this.#view = { offset: 0, length: current?.disk.size ?? 0 };
    this.#picture = undefined;
    this.#marked = 0;
    this.#grid.mark(undefined);
    this.#canvas.dataset.state = "waiting";
    part("map-readout").dataset.state = "empty";
    for (const id of ["here", "offset", "length", "kind", "file"]) part(`read-${id}`).textContent = "";
    this.#refresh();
  }

  /** Asks for the picture; where one is being made already, for another one after it. */
  #refresh(): void {
    if (this.#asking) this.#askAgain = true;
    else void this.#ask();
  }

  async #ask(): Promise<void> {
    const { current, worker } = this.#session;
    if (current === undefined) return;
    this.#asking = true;
    const { id } = current;
    const picture = await worker
      .ask("picture", { id, ...this.#view, mostCells: this.#grid.mostCells })
      .catch(() => undefined); // the disk was closed meanwhile
    this.#asking = false;
    if (picture !== undefined && this.#session.current === current) this.#show(picture);
    if (this.#askAgain) {
      this.#askAgain = false;
      this.#refresh();
    }
  }

  #show(picture: PictureData): void {
    this.#picture = picture;
    const { disk } = this.#session.current!;
    const whole = picture.length === disk.size;
    this.#grid.show(picture);
    const { bundle } = this.#session.current ?? {};
    for (const id of ["strip", "strip-ends", "legend-metadata"]) part(id).hidden = bundle !== undefined; // of one file
    part("legend-beneath").hidden = bundle === undefined;
    if (whole && bundle === undefined) this.#strip.show(picture);
    const last = Math.max(0, picture.data.length - 1);
    this.#marked = Math.min(this.#marked, last);
    this.#canvas.setAttribute("aria-valuemin", "0");
    this.#canvas.setAttribute("aria-valuemax", `${last}`);
    this.#canvas.dataset.state = "drawn";
    this.#canvas.dataset.extents = `${picture.extents}`;
    part("map-caption").textContent = captionOf(picture, disk.clusterSize, whole);
    part("zoom-out", HTMLButtonElement).disabled = whole;
    part("zoom-all", HTMLButtonElement).disabled = whole;
    part("zoom-in", HTMLButtonElement).disabled = picture.cellSize === disk.clusterSize;
    part("legend-breaks").hidden = !(this.#grid.hasDots(last + 1) && picture.breaks.some((count) => count > 0));
  }

  #point(event: PointerEvent): void {
    const cell = this.#grid.cellAt(event.offsetX, event.offsetY);
    if (cell !== undefined) this.#mark(cell);
  }

  #key(event: KeyboardEvent): void {
    const { columns } = this.#grid;
    const last = (this.#picture?.data.length ?? 1) - 1;
    const moves: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -8 * columns,
      PageDown: 8 * columns,
      Home: -last,
      End: last,
    };
    const zooms: Record<string, "in" | "out"> = { Enter: "in", "+": "in", Escape: "out", "-": "out" };
    const { [event.key]: move } = moves;
    const { [event.key]: zoom } = zooms;
    if (move === undefined && zoom === undefined) return;
    event.preventDefault();
    if (move !== undefined) this.#mark(Math.max(0, Math.min(last, this.#marked + move)));
    if (zoom !== undefined) this.#zoom(zoom);
  }

  #zoom(how: "in" | "out" | "all"): void {
    const { disk } = this.#session.current ?? {};
    const picture = this.#picture;
    if (disk === undefined || picture === undefined) return;
    const { clusterSize, size } = disk;
    if (how === "in" && picture.cellSize === clusterSize) return;
    const place = picture.offset + (this.#marked + 0.5) * picture.cellSize;
    if (how === "all") this.#view = { offset: 0, length: size };
    else if (how === "in") this.#view = zoomedIn(this.#view, place, clusterSize);
    else this.#view = zoomedOut(this.#view, place, clusterSize, size);
    this.#marked = 0;
    this.#grid.mark(undefined);
    this.#canvas.dataset.state = "waiting-closer";
    this.#refresh();
  }

  #mark(cell: number): void {
    const picture = this.#picture;
    if (picture === undefined || cell >= picture.data.length) return;
    this.#marked = cell;
    this.#grid.mark(cell);
    const from = picture.offset + cell * picture.cellSize;
    const length = Math.min(picture.cellSize, picture.offset + picture.length - from);
    part("read-here").replaceChildren(
      `${formatSize(from)}, ${formatShare(picture.data[cell] + picture.beneath[cell], length)} data`,
      make("small", {}, `${grouped(from)} to ${grouped(from + length - 1)}`),
    );
    this.#canvas.setAttribute("aria-valuenow", `${cell}`);
    void this.#tell(from, length, colourOf(picture, cell));
  }

  async #tell(offset: number, length: number, colour: string): Promise<void> {
    const asked = ++this.#extentsAsked;
    const { id } = this.#session.current!;
    const extent = await this.#session.worker.ask("extent", { id, offset, length }).catch(() => undefined);
    if (extent === undefined || asked !== this.#extentsAsked) return;
    showExtent(extent, colour);
    this.#canvas.setAttribute("aria-valuetext", spoken(extent));
  }
}

function captionOf({ cellSize, offset, length, extents }: PictureData, clusterSize: number, whole: boolean): string {
  const clusters = cellSize / clusterSize;
  const square = `one square: ${formatSize(cellSize)}${clusters > 1 ? `, ${many(clusters, "cluster")}` : ""}`;
  const shown = whole ? "" : `${formatSize(offset)} to ${formatSize(offset + length)}  ·  `;
  return `${shown}${many(extents, "extent")}  ·  ${square}`;
}

function showExtent(extent: Extent, colour: string): void {
  const { offset, length, kind } = extent;
  const swatch = make("i");
  swatch.style.background = kind === "data" ? colour : "var(--map-zero)";
  part("read-offset").textContent = grouped(offset);
  part("read-length").replaceChildren(formatSize(length), make("small", {}, grouped(length)));
  part("read-kind").replaceChildren(swatch, kind === "zero" ? "zeros" : extent.layer > 0 ? "data of a snapshot" : kind);
  part("read-file").textContent = extent.fileOffset !== undefined ? grouped(extent.fileOffset) : "nowhere";
  part("map-readout").dataset.state = kind;
}

function spoken(extent: Extent): string {
  const place =
    extent.fileOffset !== undefined ? `data, in the file at ${grouped(extent.fileOffset)}` : "nothing allocated";
  return `From ${grouped(extent.offset)}, ${formatSize(extent.length)}: ${place}`;
}
