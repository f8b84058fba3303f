/**
 * `npm run bench`: what WebAssembly buys the engine, and what a disk costs beside its raw file. `-- --quick` is short,
 * `-- --browser` measures disks in OPFS instead, `-- --trace FILE` takes a recorded boot for the network.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatTable } from "../src/cli/table.js";
import { benchIo } from "../src/measure/io.js";
import { ioTable, machineLine } from "../src/measure/tables.js";
import { benchBrowser } from "./browser.js";
import { benchChain, benchSnapshot } from "./chain.js";
import { benchCompact } from "./compact.js";
import { benchMap } from "./map.js";
import { benchNetwork } from "./network.js";
import { benchOrder } from "./order.js";
import { benchResize } from "./resize.js";
import { chainTable, compactTable, mapTable, networkTable, orderTable, resizeTable } from "./tables.js";
import { loadTrace, madeUpBoot, type Trace } from "./trace.js";

const { quick, browser, trace } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    browser: { type: "boolean", default: false },
    trace: { type: "string" },
  },
}).values;

console.log(`${machineLine()}\n`);
if (browser) {
  await printBrowser();
} else {
  await printEngine();
  await printDisk();
  await printOrder();
  await printChain();
  printResize();
  printCompact();
  await printNetwork();
}

async function printEngine(): Promise<void> {
  console.log("The engine: speed of WebAssembly (SIMD) as a multiple of the same verb in plain TypeScript.");
  console.log("Medians of interleaved rounds; a BAT of 1 Mi entries.");
  console.log(formatTable(mapTable(await benchMap(quick ? { rounds: 5, roundMilliseconds: 5 } : {}))));
}

async function printDisk(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parablock-bench-"));
  try {
    console.log(
      "\nThe disk: speed as a share of the same file-system calls made on the file directly (1.00 is the ceiling).",
    );
    console.log("Medians of interleaved rounds; files of 64 MiB in the page cache; nothing is flushed.");
    console.log(formatTable(ioTable(await benchIo({ folder, seconds: quick ? 3 : 15 }))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function printOrder(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parablock-bench-"));
  try {
    console.log(
      "\nThe order of writes: what it costs beside the same writes and flushes without it, synchronous face.",
    );
    console.log(formatTable(orderTable(benchOrder({ folder, rounds: quick ? 3 : 11 }))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function printChain(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parablock-bench-"));
  try {
    console.log(
      "\nChains: 4 KiB random reads of a bundle's disk, 30 images deep, as a multiple of the time at depth 1.",
    );
    console.log(formatTable(chainTable(await benchChain({ folder, rounds: quick ? 5 : 25 }))));
    const { total, beyond } = await benchSnapshot({ folder, rounds: quick ? 3 : 9 });
    console.log(
      `A snapshot of an open disk of 1 TiB in 1 MiB clusters: ${total.toFixed(1)} ms, ${beyond.toFixed(1)} ms beyond its flushes.`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printResize(): void {
  const folder = mkdtempSync(join(tmpdir(), "parablock-bench-"));
  try {
    console.log("\nResize: a full image of 1 Mi clusters gets twice as many, so that its BAT has to pass its room.");
    console.log(formatTable(resizeTable(benchResize(folder))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printCompact(): void {
  const folder = mkdtempSync(join(tmpdir(), "parablock-bench-"));
  try {
    console.log("\nCompact: time in place, all of it durable, as a multiple of a durable copy of the file.");
    console.log(formatTable(compactTable(benchCompact({ folder, rounds: quick ? 3 : 9 }))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function printNetwork(): Promise<void> {
  const line = { latency: 50, bandwidth: 12_500_000 };
  console.log(`\nThe network: boots from a web server, ${line.latency} ms and 100 Mbit/s away.`);
  console.log("HttpStorage is measured over such a line; v86's loader is counted, its time reckoned from the line.");
  for (const { description, reads } of traces()) {
    const report = await benchNetwork(reads, line);
    console.log(`\n${description} ${report.reads} reads, ${(report.needed / 2 ** 20).toFixed(1)} MiB:`);
    console.log(formatTable(networkTable(report)));
  }
}

function traces(): Trace[] {
  if (trace !== undefined) return [loadTrace(trace)];
  const recorded = loadTrace(new URL("../bench/boot-trace.json", import.meta.url));
  return quick ? [recorded] : [recorded, madeUpBoot()];
}

async function printBrowser(): Promise<void> {
  const { browser, rows } = await benchBrowser({ quick });
  console.log(`The disk in ${browser}: speed in OPFS as a share of the same calls made on the file's access handle.`);
  console.log("Medians of interleaved rounds, in a worker; files of 64 MiB; nothing is flushed.");
  console.log(formatTable(ioTable(rows, "access handle")));
}
