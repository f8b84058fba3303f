/** A disk in memory: 4 KiB random reads, synchronous, beside a copy of the same bytes out of an array. */
import { DiskSync, MemoryStorage } from "../src/index.js";
import { compare } from "../src/measure/compare.js";
import { takeTurns } from "../src/measure/turns.js";
import type { Question } from "./question.js";

const SIZE = 64 * 2 ** 20;
const BLOCK = 4096;
/** What a read may take more than the copy, in nanoseconds. */
const MOST = 120;

export const memoryStorage: Question = {
  name: "memory-storage",
  title: "A disk in memory: 4 KiB random reads, synchronous, beside the copy of a subarray",
  bound: "the copy: what a read takes more is the lookup, and the checks of what was asked and what was answered.",
  async run({ quick }) {
    const disk = DiskSync.create(new MemoryStorage(), { size: SIZE, clusterSize: 65536 });
    disk.write(new Uint8Array(SIZE).fill(0x5a), 0);
    const bytes = new Uint8Array(SIZE).fill(0x5a);
    const buffer = new Uint8Array(BLOCK);
    const reading = (read: (offset: number) => void) => (count: number) => {
      for (let done = 0, at = 1; done < count; done++) {
        at = (at * 48_271) % 0x7fffffff;
        read((at % (SIZE / BLOCK)) * BLOCK);
      }
    };
    const works = [
      reading((offset) => disk.read(buffer, offset)),
      reading((offset) => buffer.set(bytes.subarray(offset, offset + BLOCK))),
    ];
    const [own, copy] = await takeTurns(works, { rounds: quick ? 7 : 31, milliseconds: quick ? 20 : 60 });
    const figures = compare(own, copy, 1000);
    const more = figures.own - figures.other;
    const note = `${more.toFixed(0)} ns more; ${MOST} are aimed at`;
    const row = { what: "random read, 4 KiB, sync", against: "subarray copy", ...figures, unit: "ns", note };
    return { rows: [row] };
  },
};
