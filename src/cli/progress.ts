/** The progress bar: on a terminal's stderr, and only there. */

export interface Progress {
  /** How much is done now, in bytes. */
  update(done: number): void;
  stop(): void;
}

const SILENT: Progress = { update() {}, stop() {} };
const MEBIBYTE = 1024 * 1024;

/** Shows a bar for `total` bytes of work. */
export async function startProgress(title: string, total: number): Promise<Progress> {
  if (!process.stderr.isTTY) return SILENT;
  const { Presets, SingleBar } = await import("cli-progress");
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: `${title} {bar} {percentage} % | {value} of {total} MiB | {eta_formatted} left`,
      clearOnComplete: true,
      hideCursor: false,
      fps: 10,
    },
    Presets.shades_classic,
  );
  bar.start(Math.ceil(total / MEBIBYTE), 0);
  return { update: (done) => bar.update(Math.floor(done / MEBIBYTE)), stop: () => bar.stop() };
}

/** Shows progress while something is done, and takes it away whatever becomes of it. */
export async function withProgress<T>(
  title: string,
  total: number,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = await startProgress(title, total);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}
