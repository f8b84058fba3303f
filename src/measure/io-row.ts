/** What one kind of request takes, of a disk in both engines and of what it stands on. Needs nothing of Node. */
import { type Comparison, compare } from "./compare.js";

export interface IoRow {
  operation: "read" | "write";
  pattern: "random" | "sequential";
  face: "sync" | "async";
  /** Requests in flight; 1 in the synchronous face. */
  depth: number;
  /** Bytes a request. */
  blockSize: number;
  /** Median microseconds a request. */
  raw: number;
  wasm: number;
  js: number;
  /** Speed of the disk as a share of the raw file's. */
  wasmToRaw: number;
  jsToRaw: number;
  /** Quartiles of the rounds' own `wasmToRaw`. */
  spread: Comparison["spread"];
  /** How many times faster WebAssembly is. */
  wasmToJs: number;
}

export type IoQuestion = Pick<IoRow, "operation" | "pattern" | "face" | "depth" | "blockSize">;

/** From the times of the raw file, and of disks of both engines, taken in turns. */
export function ioRowOf(question: IoQuestion, times: readonly number[][]): IoRow {
  const [raw, wasm, js] = times;
  const { own, other, ratio, spread } = compare(wasm, raw);
  const slower = compare(js, raw);
  const figures = { raw: other, wasm: own, js: slower.own, wasmToRaw: ratio, jsToRaw: slower.ratio, spread };
  return { ...question, ...figures, wasmToJs: slower.own / own };
}
