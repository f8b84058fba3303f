/**
 * The commands by their names, in the order of the help. A command's module is loaded when it runs: what the others
 * need is no part of its start.
 */
import type { Command } from "commander";

type Add = (program: Command) => void;

const MODULES: Record<string, () => Promise<Add>> = {
  create: async () => (await import("./create.js")).addCreate,
  info: async () => (await import("./info.js")).addInfo,
  map: async () => (await import("./map.js")).addMap,
  convert: async () => (await import("./convert.js")).addConvert,
  compare: async () => (await import("./compare.js")).addCompare,
  check: async () => (await import("./check.js")).addCheck,
  snapshot: async () => (await import("./snapshot.js")).addSnapshot,
  bitmap: async () => (await import("./bitmap.js")).addBitmap,
  commit: async () => (await import("./commit.js")).addCommit,
  rebase: async () => (await import("./rebase.js")).addRebase,
  resize: async () => (await import("./resize.js")).addResize,
  compact: async () => (await import("./compact.js")).addCompact,
  bench: async () => (await import("./bench.js")).addBench,
};

/** Adds the command that a command line names; all of them where it names none, as for the help. */
export async function addCommands(program: Command, line: readonly string[]): Promise<void> {
  const named = nameIn(line);
  const loading = named === undefined ? Object.values(MODULES) : [MODULES[named]];
  for (const add of await Promise.all(loading.map((load) => load()))) add(program);
}

/** No option before a command's name takes a value, so the first word is it; or the second one, after "help". */
function nameIn(line: readonly string[]): string | undefined {
  const [first, second] = line.filter((word) => word === "-" || !word.startsWith("-"));
  const name = first === "help" ? second : first;
  return name !== undefined && Object.hasOwn(MODULES, name) ? name : undefined;
}
