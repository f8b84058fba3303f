/** Benchmark results as tables of text, ratios first, and the machine they were taken on. */
import { cpus, loadavg } from "node:os";
import { ASYNC_DEPTH, type IoRow } from "./io.js";
import type { MapRow } from "./map.js";
import type { NetworkReport, NetworkRow } from "./network.js";
import type { OrderRow } from "./order.js";

export interface Table {
  head: string[];
  rows: string[][];
}

/** `raw` is what the disks are measured against. */
export function ioTable(rows: readonly IoRow[], raw = "raw file"): Table {
  return {
    head: [`wasm : ${raw}`, "wasm : TypeScript", "request", "face", raw, "wasm", "TypeScript"],
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

export function networkTable({ rows }: NetworkReport): Table {
  const [own] = rows as [NetworkRow];
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return {
    head: ["HttpStorage is faster by", "client", "requests", "received", "of it again", "time"],
    rows: rows.map(({ client, requests, bytes, again, seconds }) => [
      (seconds / own.seconds).toFixed(2),
      client,
      `${requests}`,
      mebibytes(bytes),
      mebibytes(again),
      `${seconds.toFixed(1)} s`,
    ]),
  };
}

export function orderTable(rows: readonly OrderRow[]): Table {
  return {
    head: ["cost", "what is written", "over", "clusters", "in order", "without"],
    rows: rows.map(({ cost, guest, beneath, clusterSize, ordered, unordered }) => [
      `${(100 * cost).toFixed(1)} %`,
      guest,
      beneath,
      `${clusterSize / 1024} KiB`,
      ...[ordered, unordered].map((milliseconds) => `${milliseconds.toFixed(1)} ms`),
    ]),
  };
}

/** What the figures hold for. */
export function machineLine(): string {
  const processors = cpus();
  const load = loadavg()[0]!.toFixed(2);
  return `${processors.length} x ${processors[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}, ${process.platform} ${process.arch}, load ${load}`;
}
