/** Files and folders that must not outlive the process unless it says so, whatever ends it: an error, Ctrl-C, a closed pipe. */
import { rmSync } from "node:fs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const leftovers = new Set<string>();

/** Has `path` removed when the process ends. */
export function removeAtExit(path: string): void {
  leftovers.add(path);
  watchEnd();
}

/** From now on a signal ends the process in order: called before something is made that is then to be removed. */
export function watchEnd(): void {
  if (process.listeners("exit").includes(removeAll)) return;
  process.on("exit", removeAll);
  for (const signal of SIGNALS) process.once(signal, () => endBy(signal));
}

/** Lets `path` stay: it is complete, or gone already. */
export function keep(path: string): void {
  leftovers.delete(path);
}

function removeAll(): void {
  for (const path of leftovers) rmSync(path, { recursive: true, force: true });
  leftovers.clear();
}

/** Ends as the signal would have ended us, so that a shell knows. */
function endBy(signal: NodeJS.Signals): void {
  removeAll();
  process.kill(process.pid, signal);
}
