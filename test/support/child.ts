/** Runs code that uses the library in a Node process of its own: with other rights, or with its memory to itself. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync } from "esbuild";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

/** Bundles sources into one module that any Node runs; answers its file. */
export function bundleForNode(input: Pick<BuildOptions, "entryPoints" | "stdin">, outfile: string): string {
  buildSync({ ...input, bundle: true, platform: "node", format: "esm", target: "node20", outfile, logLevel: "error" });
  return outfile;
}

/** Bundles index.ts and node.ts. */
export function bundleLibrary(outfile: string): string {
  const contents = `export * from "./index.js"; export * from "./node.js";`;
  return bundleForNode({ stdin: { contents, resolveDir: source, loader: "ts" } }, outfile);
}

/**
 * Runs module code that prints one JSON value, which is answered; `library` is in scope.
 * @param addressSpace how many bytes of address space the process may have: a limit that Linux keeps
 */
export function runChild(bundle: string, code: string, flags: readonly string[] = [], addressSpace?: number): unknown {
  const script = `const library = await import(${JSON.stringify(bundle)});\n${code}`;
  const command = [process.execPath, ...flags, "--input-type=module", "-e", script];
  const limited = ["sh", "-c", `ulimit -v ${Math.floor((addressSpace ?? 0) / 1024)} && exec "$@"`, "sh", ...command];
  const [program, ...args] = addressSpace === undefined ? command : limited;
  const printed = execFileSync(program, args, {
    encoding: "utf8",
    cwd: join(bundle, ".."),
    stdio: ["ignore", "pipe", "pipe"],
  });
  return JSON.parse(printed);
}
