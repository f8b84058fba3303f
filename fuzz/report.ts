/** What was executed, what came of it, and the files of what was found. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../src/count.js";
import type { Execution, Find } from "./execute.js";

const FOLDER = "artifacts/fuzz";
/** Milliseconds between two lines that say how far it is. */
const PROGRESS = 5000;

export class Report {
  executions = 0;
  readonly #seed: number;
  readonly #start = performance.now();
  readonly #outcomes = new Map<string, number>();
  /** How often each kind of find was made: one that differs in numbers only is none of its own. */
  readonly #finds = new Map<string, number>();
  #told = this.#start;

  constructor(seed: number) {
    this.#seed = seed;
    console.log(`fuzzing from seed ${seed}`);
  }

  take(batch: readonly Execution[]): void {
    for (const { outcome, find } of batch) {
      this.executions++;
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
      if (find !== undefined) this.#found(find);
    }
    if (performance.now() - this.#told < PROGRESS) return;
    this.#told = performance.now();
    console.log(this.#line());
  }

  /** An execution had to be ended, with the rest of its batch: those before it are not counted. */
  lost(find: Find): void {
    this.executions = find.seed - this.#seed + 1;
    this.#outcomes.set("find", (this.#outcomes.get("find") ?? 0) + 1);
    this.#found(find);
  }

  /** Prints the summary; answers the exit code. */
  finish(): number {
    console.log(this.#line());
    for (const [outcome, count] of [...this.#outcomes].sort()) console.log(`  ${outcome}: ${count}`);
    for (const [kind, count] of this.#finds) console.log(`  found ${count} times: ${kind}`);
    return this.#finds.size > 0 ? 1 : 0;
  }

  #line(): string {
    const seconds = (performance.now() - this.#start) / 1000;
    const kinds = counted(this.#finds.size, "kind");
    return `${counted(this.executions, "execution")} in ${seconds.toFixed(0)} s (${Math.round(this.executions / seconds)} a second), ${kinds} of finds, seed ${this.#seed}`;
  }

  #found(find: Find): void {
    const kind = find.message.split("\n")[0].replace(/\d+/g, "N").slice(0, 200);
    const count = (this.#finds.get(kind) ?? 0) + 1;
    this.#finds.set(kind, count);
    if (count > 1) return;
    const folder = join(FOLDER, `${find.seed}`);
    mkdirSync(folder, { recursive: true });
    for (const { name, bytes } of find.files) writeFileSync(join(folder, name), bytes);
    const replay = `npm run fuzz -- --seed ${find.seed} --executions 1`;
    writeFileSync(join(folder, "find.txt"), `${find.message}\n\n${find.lines.join("\n")}\n\n${replay}\n`);
    console.log(`FOUND ${find.message.split("\n")[0]}\n  ${folder}, again: ${replay}`);
  }
}
