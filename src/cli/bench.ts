/** `parablock bench`: what a disk costs beside its raw file, on this machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { IoRow } from "../measure/io-row.js";
import { about } from "./failure.js";
import { removeAtExit } from "./leftovers.js";
import { examples } from "./options.js";
import { print, printJson, requireOutput } from "./print.js";
import { withProgress } from "./progress.js";

interface BenchFlags {
  seconds?: number;
  quick?: boolean;
  json?: boolean;
}

const SECONDS = { usual: 10, quick: 2 } as const;

export function addBench(program: Command): void {
  program
    .command("bench")
    .summary("measure reads and writes beside the raw file's")
    .description(
      "Measures sequential and random reads and writes, both faces of the library, WebAssembly and plain TypeScript, beside the same calls on the file itself. With FILE it only reads, else it makes a temporary disk.",
    )
    .argument("[file]", "a Parallels image to read from; it is not changed")
    .option("--seconds <number>", `about how long it takes (default: ${SECONDS.usual})`, parseSeconds)
    .addOption(new Option("--quick", `the same as --seconds ${SECONDS.quick}`).conflicts("seconds"))
    .option("--json", "report as JSON, times in microseconds a request")
    .addHelpText("after", examples("bench", "bench --quick disk.hds", "bench --json --seconds 30"))
    .action(bench);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 3600)) throw new InvalidArgumentError("Give a number of seconds from 0.1 to 3600.");
  return seconds;
}

async function bench(file: string | undefined, { seconds, quick, json }: BenchFlags): Promise<void> {
  requireOutput();
  const duration = seconds ?? (quick ? SECONDS.quick : SECONDS.usual);
  const { ioTable, machineLine } = await import("../measure/tables.js");
  const rows = await measure(file, duration);
  if (json) return printJson({ machine: machineLine(), rows });
  const { formatTable } = await import("./table.js");
  await print(
    `${machineLine()}\nSpeed as a share of the raw file's (1.00 is the ceiling); medians of interleaved rounds.\n`,
  );
  await print(`${formatTable(ioTable(rows))}\n`);
}

async function measure(file: string | undefined, seconds: number): Promise<IoRow[]> {
  const { benchIo } = await import("../measure/io.js");
  const folder = mkdtempSync(join(tmpdir(), "parablock-bench-"));
  removeAtExit(folder);
  try {
    return await withProgress("Measuring", 100 * 2 ** 20, (progress) =>
      about(file ?? folder, () =>
        benchIo({
          path: file,
          folder,
          seconds,
          onRow: (done, total) => progress.update((100 * 2 ** 20 * done) / total),
        }),
      ),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
