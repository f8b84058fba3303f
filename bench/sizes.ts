/** What the library weighs where it is delivered: its modules, and bundles of it as a page's build makes them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, version } from "esbuild";
import { once, type Question, type Row } from "./question.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const KIB = 1024;

export const sizes: Question = {
  name: "sizes",
  title: "Sizes: engine.wasm as it is, bundles minified and packed by gzip",
  bound: "what there is to do: every verb is a method of a disk, and a bundler keeps all methods of a class.",
  async run() {
    const rows = [fileRow("engine.wasm", 8 * KIB), fileRow("owners.wasm")];
    for (const [what, source, target] of BUNDLES) rows.push(sizeRow(what, (await bundleOf(source)).packed, target));
    rows.push(...partRows(await bundleOf(`export { Disk, MemoryStorage } from "./src/index.js"`)));
    return { rows, peers: { esbuild: version } };
  },
};

const BUNDLES: readonly [what: string, source: string, target?: number][] = [
  ["all of parablock", `export * from "./dist/index.js"`, 20 * KIB],
  ["Disk and MemoryStorage alone", `export { Disk, MemoryStorage } from "./dist/index.js"`],
  ["DiskSync and MemoryStorage alone", `export { DiskSync, MemoryStorage } from "./dist/index.js"`],
  ["all of parablock/bundle", `export * from "./dist/bundle.js"`],
];

interface Bundle {
  minified: number;
  packed: number;
  /** What is left of each file, minified. */
  files: Map<string, number>;
}

/** What a page's build makes of a module that is said here. */
export async function bundleOf(contents: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT },
    absWorkingDir: ROOT,
    ...{ bundle: true, minify: true, format: "esm", write: false, metafile: true, logLevel: "error" },
  });
  const [text] = outputFiles;
  const [{ inputs }] = Object.values(metafile.outputs);
  const kept = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return {
    minified: text.contents.length,
    packed: gzipSync(text.contents, { level: 9 }).length,
    files: new Map(kept.map(([file, { bytesInOutput }]) => [file, bytesInOutput])),
  };
}

/** Which rooms of the sources a bundle consists of. */
function partRows({ files, minified }: Bundle): Row[] {
  const rooms = new Map<string, number>();
  for (const [file, bytes] of files) {
    const room = /wasm-bytes/.test(file) ? "engine.wasm as base64" : roomOf(file);
    rooms.set(room, (rooms.get(room) ?? 0) + bytes);
  }
  const largestFirst = [...rooms].sort(([, one], [, other]) => other - one);
  return largestFirst.map(([room, bytes]) => ({
    ...{ what: `of Disk and MemoryStorage: ${room}`, against: "all of it, minified" },
    ...{ ratio: minified / bytes, spread: once(minified / bytes), own: bytes, other: minified, unit: "B" },
  }));
}

function roomOf(file: string): string {
  return /node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(file)?.[1] ?? /^src\/[^/]+(?=\/)/.exec(file)?.[0] ?? "src";
}

function fileRow(name: string, target?: number): Row {
  return sizeRow(name, readFileSync(`${ROOT}dist/${name}`).length, target);
}

/** Without a bound a row says what the size is: a size is its own. */
function sizeRow(what: string, size: number, bound?: number): Row {
  const ratio = bound === undefined ? 1 : bound / size;
  const against = bound === undefined ? "itself, as no bound is set" : "bound";
  const row: Row = { what, against, ratio, spread: once(ratio), own: size, other: bound ?? size, unit: "B" };
  return bound === undefined ? row : { ...row, target: 1 };
}
