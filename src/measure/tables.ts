/** What was measured, as a table of text, ratios first, and the machine that it was taken on. */
import { cpus, loadavg } from "node:os";
import type { IoRow } from "./io-row.js";

export interface Table {
  head: string[];
  rows: string[][];
}

/** `raw` is what the disks are measured against. */
export function ioTable(rows: readonly IoRow[], raw = "raw file"): Table {
  return {
    head: [`wasm : ${raw}`, "quartiles", "wasm : TypeScript", "request", raw, "wasm", "TypeScript"],
    rows: rows.map((row) => [
      row.wasmToRaw.toFixed(2),
      row.spread.map((ratio) => ratio.toFixed(2)).join("-"),
      row.wasmToJs.toFixed(2),
      describeRequest(row),
      ...[row.raw, row.wasm, row.js].map((microseconds) => `${microseconds.toFixed(1)} µs`),
    ]),
  };
}

export function describeRequest({ pattern, operation, blockSize, face, depth }: IoRow): string {
  const inFlight = face === "sync" ? "sync" : `async x ${depth}`;
  return `${pattern} ${operation}, ${blockSize / 1024} KiB, ${inFlight}`;
}

/** What the figures hold for. */
export function machineLine(): string {
  const processors = cpus();
  const load = loadavg()[0].toFixed(2);
  return `${processors.length} x ${processors[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}, ${process.platform} ${process.arch}, load ${load}`;
}
