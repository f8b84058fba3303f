/** The bar that `progress.ts` shows: loaded where somebody sees it. */
import { Presets, SingleBar } from "cli-progress";
import { errorOutput } from "./print.js";

export function makeBar(title: string): SingleBar {
  return new SingleBar(
    {
      stream: errorOutput(),
      format: `${title} {bar} {percentage} % | {value} of {total} MiB | {eta_formatted} left`,
      clearOnComplete: true,
      hideCursor: false,
      // A signal would leave a terminal that does not wrap: the line is short enough instead.
      linewrap: true,
      barsize: 24,
      fps: 10,
    },
    Presets.shades_classic,
  );
}
