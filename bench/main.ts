/** `npm run bench`: what WebAssembly buys the engine, and what a disk costs beside its raw file. `-- --quick` is short. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatTable } from "../src/cli/table.js";
import { benchIo } from "./io.js";
import { benchMap } from "./map.js";
import { ioTable, machineLine, mapTable } from "./tables.js";

const { quick } = parseArgs({ options: { quick: { type: "boolean", default: false } } }).values;

console.log(`${machineLine()}\n`);
console.log("The engine: speed of WebAssembly (SIMD) as a multiple of the same verb in plain TypeScript.");
console.log("Medians of interleaved rounds; a BAT of 1 Mi entries.");
console.log(formatTable(mapTable(await benchMap(quick ? { rounds: 5, roundMilliseconds: 5 } : {}))));

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
