/** The progress bar: on a terminal's stderr, and only there. */
import { isTerminal } from "./print.js";

export interface Progress {
  /** How much is done now, in bytes, and of how much, where that has changed. */
  update(done: number, total?: number): void;
  stop(): void;
}

const SILENT: Progress = { update() {}, stop() {} };
const MEBIBYTE = 1024 * 1024;

/** How long work that is mostly short may take before it shows a bar, in ms. */
export const PATIENCE = 300;

/** Shows a bar for `total` bytes of work, or for what takes longer than `patience` (ms) only then. */
export async function startProgress(title: string, total: number, patience = 0): Promise<Progress> {
  if (!isTerminal("stderr")) return SILENT;
  const { makeBar } = await import("./bar.js");
  const bar = makeBar(title);
  const begun = performance.now();
  let shown = false;
  const show = (): boolean => {
    if (shown || performance.now() - begun < patience) return shown;
    bar.start(Math.ceil(total / MEBIBYTE), 0);
    shown = true;
    return true;
  };
  show();
  return {
    update(done, total) {
      if (!show()) return;
      if (total !== undefined) bar.setTotal(Math.ceil(total / MEBIBYTE));
      bar.update(Math.floor(done / MEBIBYTE));
    },
    stop() {
      if (shown) bar.stop();
    },
  };
}

/** Shows progress while something is done, and takes it away whatever becomes of it. */
export async function withProgress<T>(
  title: string,
  total: number,
  work: (progress: Progress) => Promise<T>,
  patience = 0,
): Promise<T> {
  const progress = await startProgress(title, total, patience);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}
