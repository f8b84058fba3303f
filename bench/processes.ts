/**
 * Whole processes in turn: each runs once in every round, in turning order, after one round that is not counted. Between
 * them nothing else runs, and what prepares or clears up is not timed.
 */
import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Timed {
  command: readonly string[];
  /** Before and after each of its runs, not timed: such as removing an output. */
  before?: () => void;
  after?: () => void;
  /** The file that takes its standard output, written anew each time; without it nothing does. */
  output?: string;
  /**
   * A file that an fsync makes durable when the process has ended, within its time: for peers that do not do so
   * themselves. It costs no further process.
   */
  durable?: string;
  /** The exit codes that are as expected. Default: 0. */
  statuses?: readonly number[];
}

/** Node without anything: what is left of a command's time beyond this is its own. */
export const NODE: Timed = { command: [process.execPath, "-e", "0"] };

/** Our command, as it is built; the benchmarks are built into artifacts/. */
export function parablock(...args: string[]): string[] {
  return [process.execPath, fileURLToPath(new URL("../dist/cli.cjs", import.meta.url)), ...args];
}

/** Milliseconds: for each process a list of its rounds, which `compare` makes ratios of. @throws Error when one fails */
export function takeProcessTurns(processes: readonly Timed[], rounds: number): number[][] {
  const times = processes.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < processes.length; turn++) {
      const index = (round + 1 + turn) % processes.length;
      const taken = runOnce(processes[index]);
      if (round >= 0) times[index].push(taken);
    }
  }
  return times;
}

/** Round for round what is left of the times beyond a base's, such as Node's own start. */
export function less(times: readonly number[], base: readonly number[]): number[] {
  return times.map((time, round) => time - base[round]);
}

function runOnce({ command, before, after, output, durable, statuses = [0] }: Timed): number {
  before?.();
  const standardOutput = output === undefined ? "ignore" : openSync(output, "w");
  const start = process.hrtime.bigint();
  const ended = spawnSync(command[0], command.slice(1), {
    stdio: ["ignore", standardOutput, "pipe"],
    encoding: "utf8",
  });
  if (ended.error) throw ended.error;
  if (!statuses.includes(ended.status ?? -1))
    throw new Error(`${command.join(" ")}: ended with ${ended.status ?? ended.signal}: ${ended.stderr.trim()}`);
  if (durable !== undefined) makeDurable(durable);
  const taken = Number(process.hrtime.bigint() - start) / 1e6;
  if (typeof standardOutput === "number") closeSync(standardOutput);
  after?.();
  return taken;
}

export function makeDurable(path: string): void {
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
}
