/** `parablock map --bitmap`: what changed on a disk, as a list. */
import { soleImage } from "./bundles.js";
import { type DirtyRun, type DirtySource, dirtyRunsOf } from "./dirty.js";
import { withImage } from "./image.js";
import { printAll } from "./print.js";

export interface DirtyMapFlags {
  json?: boolean | undefined;
  forceShare?: boolean | undefined;
}

export async function mapBitmap(file: string, source: DirtySource, { json, forceShare }: DirtyMapFlags): Promise<void> {
  const image = await soleImage(file, "each with bitmaps of its own: name one of them");
  await withImage("Mapping", image, forceShare, (disk) => {
    const runs = dirtyRunsOf(disk, source);
    return printAll(json ? jsonLines(runs) : textLines(disk.size, runs));
  });
}

async function* textLines(size: number, runs: AsyncIterable<DirtyRun>): AsyncGenerator<string> {
  const width = `${size}`.length;
  const column = (bytes: number) => `${bytes}`.padStart(width);
  for await (const { offset, length, dirty } of runs)
    yield `${column(offset)} ${column(length)} ${dirty ? "dirty" : "clean"}\n`;
}

async function* jsonLines(runs: AsyncIterable<DirtyRun>): AsyncGenerator<string> {
  let before = "[";
  for await (const { offset, length, dirty } of runs) {
    yield `${before}{ "start": ${offset}, "length": ${length}, "dirty": ${dirty}}`;
    before = ",\n";
  }
  yield before === "[" ? "[]\n" : "]\n";
}
