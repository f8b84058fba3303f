/** `parablock map --bitmap`: what changed on a disk, as a list. */
import { soleImage } from "./bundles.js";
import { type DirtyRun, type DirtySource, dirtyRunsOf } from "./dirty.js";
import { withImage } from "./image.js";
import { bytesOf, type Lines, printEach, printList } from "./lines.js";
import { addColumns, addFields } from "./map-lines.js";

export interface DirtyMapFlags {
  json?: boolean | undefined;
  forceShare?: boolean | undefined;
}

export async function mapBitmap(file: string, source: DirtySource, { json, forceShare }: DirtyMapFlags): Promise<void> {
  const image = await soleImage(file, "each with bitmaps of its own: name one of them");
  await withImage("Mapping", image, forceShare, (disk) => {
    const runs = batches(dirtyRunsOf(disk, source));
    return json ? printList(runs, addJson) : printEach(runs, textLine(disk.size));
  });
}

async function* batches(runs: AsyncIterable<DirtyRun>): AsyncGenerator<[DirtyRun]> {
  for await (const run of runs) yield [run];
}

const STATES = { dirty: bytesOf(', "dirty": true}'), clean: bytesOf(', "dirty": false}') };
const LINE_ENDS = { dirty: bytesOf(" dirty\n"), clean: bytesOf(" clean\n") };

function addJson(lines: Lines, { offset, length, dirty }: DirtyRun): void {
  addFields(lines, offset, length);
  lines.add(dirty ? STATES.dirty : STATES.clean);
}

function textLine(size: number): (lines: Lines, run: DirtyRun) => void {
  const width = `${size}`.length;
  return (lines, { offset, length, dirty }) => {
    addColumns(lines, offset, length, width);
    lines.add(dirty ? LINE_ENDS.dirty : LINE_ENDS.clean);
  };
}
