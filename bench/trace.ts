/** What a guest reads while it boots: recorded from one, or a made-up boot of a small Linux, always the same. */
import { readFileSync } from "node:fs";

/** Offset and length in bytes. */
export type TracedRead = readonly [offset: number, length: number];

export interface Trace {
  description: string;
  reads: readonly TracedRead[];
}

/** A recording: a JSON array of [offset, length], or an object that has it as `reads`. @throws Error for anything else */
export function loadTrace(path: string | URL): Trace {
  const parsed = JSON.parse(readFileSync(path, "utf8"));
  const { description = `${path}`, reads }: Trace = Array.isArray(parsed) ? { reads: parsed } : parsed;
  const isRead = (read: unknown) =>
    Array.isArray(read) && read.length === 2 && read.every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!Array.isArray(reads) || reads.length === 0 || !reads.every(isRead))
    throw new Error(`${path}: expected a JSON array of [offset, length] pairs`);
  return { description, reads };
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** Boot loader, kernel and initial RAM disk by the BIOS, then file system and programs by the kernel. */
export function madeUpBoot(): Trace {
  const random = lehmer(20_040_229);
  const reads: TracedRead[] = [[0, 512], ...run(512, 62 * 512, 31 * 512)];
  // A boot loader keeps nothing: it reads the same tables for each step of a path, and files in small pieces.
  for (const [start, length] of [
    [40 * MIB, 300 * KIB],
    [48 * MIB, 8 * MIB],
    [64 * MIB, 12 * MIB],
  ] as const) {
    for (let step = 0; step < 12; step++) reads.push([MIB + 4 * KIB * (step % 5), 4 * KIB]);
    reads.push(...run(start, length, 63 * KIB + 512));
  }
  // The kernel: directory for directory its tables, then files that lie near each other, read ahead as far as they go.
  for (let directory = 0; directory < 40; directory++) {
    const table = 2 * MIB + 128 * KIB * random(128);
    let file = 96 * MIB + 2 * MIB * random(128);
    for (let step = 0; step < 4; step++) {
      reads.push([table + 4 * KIB * random(32), 4 * KIB]);
      const length = 4 * KIB * (1 + random(step === 0 ? 300 : 30));
      reads.push(...run(file, length, 128 * KIB));
      file += length + 4 * KIB * random(16);
    }
  }
  return { description: "A made-up boot of a small Linux.", reads };
}

function run(start: number, length: number, step: number): TracedRead[] {
  const reads: TracedRead[] = [];
  for (let done = 0; done < length; done += step) reads.push([start + done, Math.min(step, length - done)]);
  return reads;
}

/** Answers numbers from 0 to below a limit. */
function lehmer(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 48_271) % 0x7fffffff;
    return state % limit;
  };
}
