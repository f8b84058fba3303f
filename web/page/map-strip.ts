/** The image file as a strip: header and BAT, what the disk uses in the colours of the map, the rest blank. */
import { colourAt } from "../../src/show/gradient.js";
import { formatSize } from "../../src/show/units.js";
import { type PictureData, SLOTS } from "../shared/protocol.js";
import { onColours, part, token } from "./dom.js";
import { prepare } from "./map-grid.js";

const HEIGHT = 22;

export class MapStrip {
  readonly #canvas = part("strip", HTMLCanvasElement);
  #picture: PictureData | undefined;

  constructor() {
    onColours(() => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
  }

  show(picture: PictureData): void {
    this.#picture = picture;
    part("strip-end").textContent = `end, ${formatSize(picture.fileSize)}`;
    this.#draw();
  }

  #draw(): void {
    if (this.#picture === undefined || this.#canvas.clientWidth === 0) return;
    drawStrip(prepare(this.#canvas, HEIGHT), this.#canvas.clientWidth, this.#picture);
  }
}

function drawStrip(context: CanvasRenderingContext2D, width: number, picture: PictureData): void {
  const { slots, fileSize, dataOffset } = picture;
  const [slotSize, slotWidth] = [fileSize / SLOTS, width / SLOTS];
  context.fillStyle = token("--map-zero");
  context.fillRect(0, 0, width, HEIGHT);
  for (const [slot, bytes] of slots.entries()) {
    if (bytes < slotSize / 100) continue;
    context.fillStyle = colourAt(((slot + 0.5) * slotSize - dataOffset) / Math.max(1, fileSize - dataOffset));
    context.fillRect(slot * slotWidth, 0, slotWidth + 0.5, HEIGHT);
  }
  context.fillStyle = token("--map-metadata");
  context.fillRect(0, 0, Math.max(2, (width * Math.min(dataOffset, fileSize)) / Math.max(1, fileSize)), HEIGHT);
}
