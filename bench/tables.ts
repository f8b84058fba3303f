/** Benchmark results as tables of text, ratios first, and the machine they were taken on. */
import { cpus, loadavg } from "node:os";
import { ASYNC_DEPTH, type IoRow } from "./io.js";
import type { MapRow } from "./map.js";

export interface Table {
  head: string[];
  rows: string[][];
}

export function ioTable(rows: readonly IoRow[]): Table {
  return {
    head: ["wasm : raw file", "wasm : TypeScript", "request", "face", "raw file", "wasm", "TypeScript"],
    rows: rows.map((row) => [
      row.wasmToRaw.toFixed(2),
      row.wasmToJs.toFixed(2),
      `${row.pattern} ${row.operation}, ${row.blockSize / 1024} KiB`,
      row.face === "sync" ? "sync" : `async x ${ASYNC_DEPTH}`,
      ...[row.raw, row.wasm, row.js].map((microseconds) => `${microseconds.toFixed(1)} µs`),
    ]),
  };
}

export function mapTable(rows: readonly MapRow[]): Table {
  return {
    head: ["wasm : TypeScript", "question", "wasm", "TypeScript"],
    rows: rows.map(({ ratio, question, unit, wasm, js }) => [
      ratio.toFixed(2),
      question,
      `${wasm.toFixed(3)} ns/${unit}`,
      `${js.toFixed(3)} ns/${unit}`,
    ]),
  };
}

/** What the figures hold for. */
export function machineLine(): string {
  const processors = cpus();
  const load = loadavg()[0]!.toFixed(2);
  return `${processors.length} x ${processors[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}, ${process.platform} ${process.arch}, load ${load}`;
}
