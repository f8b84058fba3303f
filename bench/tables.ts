/** Benchmark results as tables of text, ratios first. */
import type { Table } from "../src/measure/tables.js";
import type { ChainRow } from "./chain.js";
import type { CompactRow } from "./compact.js";
import type { MapRow } from "./map.js";
import type { NetworkReport, NetworkRow } from "./network.js";
import type { OrderRow } from "./order.js";
import type { ResizeRow } from "./resize.js";

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

export function chainTable(rows: readonly ChainRow[]): Table {
  return {
    head: ["depth 30 : depth 1", "face", "engine", "depth 1", "depth 30"],
    rows: rows.map(({ ratio, face, engine, flat, deep }) => [
      ratio.toFixed(2),
      face,
      engine,
      ...[flat, deep].map((microseconds) => `${microseconds.toFixed(1)} µs`),
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

export function resizeTable(rows: readonly ResizeRow[]): Table {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
  return {
    head: ["clusters moved", "in the BAT's way", "clusters of", "bytes read", "bytes written", "time"],
    rows: rows.map(({ moved, inTheWay, clusterSize, bytesRead, bytesWritten, milliseconds }) => [
      `${moved}`,
      `${inTheWay}`,
      `${clusterSize / 1024} KiB`,
      mebibytes(bytesRead),
      mebibytes(bytesWritten),
      `${milliseconds.toFixed(0)} ms`,
    ]),
  };
}

export function compactTable(rows: readonly CompactRow[]): Table {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const times = (time: number | undefined) => (time === undefined ? "-" : `${time.toFixed(0)} ms`);
  return {
    head: ["compact : copy", "image", "file", "moved", "gained", "compact", "copy", "qemu-img convert"],
    rows: rows.map(({ image, fileSize, moved, gained, compact, copy, convert }) => [
      (compact / copy).toFixed(2),
      image,
      ...[fileSize, moved, gained].map(mebibytes),
      ...[compact, copy, convert].map(times),
    ]),
  };
}
