/** What is seen while no disk is open: a map of nothing in particular. */
import { colourAt } from "../../src/show/gradient.js";
import { onColours, part, token } from "./dom.js";

const [COLUMNS, ROWS, PITCH, SIDE] = [20, 6, 28, 24];

export function drawWelcome(): void {
  onColours(draw);
  draw();
}

function draw(): void {
  const canvas = part("welcome-art", HTMLCanvasElement);
  canvas.width = COLUMNS * PITCH * 2;
  canvas.height = ROWS * PITCH * 2;
  const context = canvas.getContext("2d")!;
  context.scale(2, 2);
  const zero = token("--map-zero");
  for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
    context.fillStyle = isData(cell) ? colourAt(cell / (COLUMNS * ROWS)) : zero;
    context.beginPath();
    context.roundRect((cell % COLUMNS) * PITCH + 2, Math.floor(cell / COLUMNS) * PITCH + 2, SIDE, SIDE, 4);
    context.fill();
  }
}

/** Runs and holes, always the same. */
function isData(cell: number): boolean {
  return Math.sin(cell * 0.37) + Math.sin(cell * 0.11 + 1) > -0.55;
}
