/** Node processes of our own that use the library: bundled from the sources, so that nothing needs to be built before. */
import { type ChildProcess, spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bundleForNode } from "../support/child.js";

/** Bundles a program of this folder; answers the file. The modules of the repository, koffi among them, are found from there. */
export function buildProgram(name: string, path: (name: string) => string): string {
  const source = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  const outfile = bundleForNode({ entryPoints: [source] }, path(`${name}.mjs`));
  const modules = path("node_modules");
  try {
    symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), modules, "dir");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return outfile;
}

/** A child process that talks in lines. */
export class Child {
  readonly process: ChildProcess;
  /** What it printed so far. */
  readonly lines: string[] = [];
  /** Its end, after its last line. */
  readonly ended: Promise<void>;
  #errors = "";
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.process = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    this.process.stdin!.on("error", () => {}); // it may have ended
    this.process.stderr!.on("data", (data) => {
      this.#errors += data;
    });
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      this.lines.push(line);
      this.#wake();
    });
    this.ended = new Promise((resolve, reject) => {
      this.process.on("error", reject);
      this.process.on("close", () => {
        this.#closed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** A program that `buildProgram` made. */
  static node(program: string, args: readonly string[], env: Record<string, string> = {}): Child {
    return new Child(process.execPath, [program, ...args], env);
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** What it printed on its standard error. */
  get errors(): string {
    return this.#errors;
  }

  send(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }

  /** The first line from `from` on that a test accepts. @throws Error if the process ends without one */
  async line(accept: (line: string) => boolean = () => true, from = 0): Promise<string> {
    for (let next = from; ; ) {
      for (; next < this.lines.length; next++) if (accept(this.lines[next])) return this.lines[next];
      if (this.#closed) throw new Error(`the process ended without the line waited for: ${this.#errors}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Sends a line and answers the next one. */
  ask(line: string): Promise<string> {
    const from = this.lines.length;
    this.send(line);
    return this.line(undefined, from);
  }

  /** Ends its input, and waits for its end. */
  async finish(): Promise<void> {
    this.process.stdin!.end();
    await this.ended;
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
