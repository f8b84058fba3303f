/** What `parablock map` prints of a run: columns for people, or the form of `qemu-img map --output=json`. */
import type { Extent } from "../index.js";
import { printable } from "../printable.js";
import type { Placed } from "./layer-files.js";
import { bytesOf, type Lines } from "./lines.js";

const SPACE = bytesOf(" ");
const START = bytesOf('{ "start": ');
const LENGTH = bytesOf(', "length": ');

/** A range of guest bytes, as lines for people begin. */
export function addColumns(lines: Lines, offset: number, length: number, width: number): void {
  lines.addNumber(offset, width).add(SPACE).addNumber(length, width);
}

/** The same, as lines of JSON begin. */
export function addFields(lines: Lines, offset: number, length: number): void {
  lines.add(START).addNumber(offset).add(LENGTH).addNumber(length);
}

const LINE_END = bytesOf("\n");
const KINDS = { data: bytesOf(" data"), base: bytesOf(" base"), zero: bytesOf(" zero") };

/** Columns: guest offset, length, kind, offset in the file, and of a bundle which file that is. */
export function textLine(size: number): (lines: Lines, run: Placed) => void {
  const width = `${size}`.length;
  return (lines, { offset, length, layer, kind, fileOffset, file }) => {
    addColumns(lines, offset, length, width);
    lines.add(KINDS[kind === "data" && layer > 0 ? "base" : kind]);
    if (fileOffset !== undefined) lines.add(SPACE).addNumber(fileOffset, width);
    if (file !== undefined) lines.add(bytesOf(` ${printable(file)}`));
    lines.add(LINE_END);
  };
}

const DEPTH = bytesOf(', "depth": ');
const PRESENT = statesOf(true, ', "offset": ');
const ABSENT = statesOf(false, "}");
const END = bytesOf("}");

function statesOf(present: boolean, next: string): Record<Extent["kind"], Uint8Array> {
  const stateOf = (zero: boolean) => bytesOf(`, "present": ${present}, "zero": ${zero}, "data": ${!zero}${next}`);
  return { data: stateOf(false), zero: stateOf(true) };
}

/** The very text that `qemu-img map --output=json` prints. */
export function addJson(lines: Lines, { offset, length, layer, kind, fileOffset, file }: Placed): void {
  addFields(lines, offset, length);
  lines.add(DEPTH).addNumber(layer);
  if (fileOffset === undefined) {
    lines.add(ABSENT[kind]);
    return;
  }
  lines.add(PRESENT[kind]).addNumber(fileOffset);
  if (file !== undefined) lines.add(bytesOf(`, "filename": ${printable(JSON.stringify(file))}`));
  lines.add(END);
}
