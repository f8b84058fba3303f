/** QEMU's own reader and writer of Parallels images. */
import { type Need, runTool, tool } from "../support/peers.js";

export const qemu: readonly Need[] = [tool("qemu-img"), tool("qemu-io")];

/** The fields of `qemu-img map --output=json`. */
export interface MapEntry {
  start: number;
  length: number;
  depth: number;
  present: boolean;
  zero: boolean;
  data: boolean;
  offset?: number;
}

export function qemuMap(path: string): MapEntry[] {
  return JSON.parse(runTool("qemu-img", "map", "-f", "parallels", "--output=json", path)) as MapEntry[];
}

/**
 * @throws Error if QEMU finds anything wrong, leaks included. Where nothing is allocated it is not asked: QEMU 7.2
 * takes such an image to end after its first cluster, and calls what its BAT needs beyond that a leak.
 */
export function qemuCheck(path: string): void {
  if (qemuMap(path).some((entry) => entry.data)) runTool("qemu-img", "check", "-f", "parallels", path);
}

/** @throws Error if QEMU finds a difference between an image and a raw file */
export function qemuCompare(image: string, raw: string): void {
  runTool("qemu-img", "compare", "-f", "parallels", "-F", "raw", image, raw);
}

export function qemuConvert(image: string, raw: string): void {
  runTool("qemu-img", "convert", "-f", "parallels", "-O", "raw", image, raw);
}

export function qemuCreate(path: string, size: number, clusterSize: number): void {
  runTool("qemu-img", "create", "-q", "-f", "parallels", "-o", `cluster_size=${clusterSize}`, path, `${size}`);
}

/** Writes with QEMU: each range is filled with one byte. */
export function qemuWrite(path: string, writes: readonly { offset: number; length: number; byte: number }[]): void {
  const commands = writes.flatMap(({ offset, length, byte }) => ["-c", `write -P ${byte} ${offset} ${length}`]);
  const printed = runTool("qemu-io", "-f", "parallels", ...commands, path);
  // qemu-io ends with 0 where a command failed.
  const done = printed.match(/^wrote /gm)?.length ?? 0;
  if (done !== writes.length) throw new Error(`qemu-io failed: ${printed}`);
}
