// Bundles the library's entry points, sharing what they have in common, and the command, in a file for each part that it
// loads by itself, into dist/, with the licences of what is in them beside it; removes what earlier builds left there. tsc
// adds the types.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { build, transform } from "esbuild";

const { version, optionalDependencies = {} } = JSON.parse(readFileSync("package.json", "utf8"));

const common = {
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
  metafile: true,
  external: ["node:*", ...Object.keys(optionalDependencies)],
  logLevel: "warning",
};

const library = await build({
  ...common,
  entryPoints: {
    index: "src/index.ts",
    node: "src/node.ts",
    bundle: "src/bundle.ts",
    overlay: "src/overlay.ts",
    v86: "src/adapters/v86.ts",
    "sync-disk": "src/adapters/sync-disk.ts",
  },
  splitting: true,
  platform: "neutral",
  mainFields: ["browser", "module", "main"], // of the packages that are bundled
  chunkNames: "shared/[name]-[hash]",
});

/** Two thirds of the bytes to compile; names stay, for what `--debug` prints. */
const shortened = { minifySyntax: true, minifyWhitespace: true, lineLimit: 120 };

// Nothing is installed with the library that only the command needs: so what it needs is in its files. They are CommonJS,
// which Node begins sooner than modules; esbuild splits modules only, so they are modules first.
const command = await build({
  ...common,
  entryPoints: { cli: "src/cli/main.ts" },
  splitting: true,
  platform: "node",
  target: "node20",
  write: false,
  ...shortened,
  sourcemap: "inline", // for the second step
  chunkNames: "command/[name]-[hash]",
  outExtension: { ".js": ".cjs" },
  define: { PARABLOCK_VERSION: JSON.stringify(version), "import.meta.url": "undefined" },
  plugins: [{ name: "unused", setup: leaveOutUnused }],
});
mkdirSync("dist/command", { recursive: true });
for (const { path, text } of command.outputFiles) await writeCommonJs(relative(".", path), text);
chmodSync("dist/cli.cjs", 0o755);

const inputs = Object.keys({ ...library.metafile.inputs, ...command.metafile.inputs });
writeFileSync("dist/LICENSES.txt", licencesOf(inputs));

// Stale files go one by one, after the new ones are there: who runs from dist/ meanwhile is hardly disturbed.
const files = Object.keys({ ...library.metafile.outputs, ...command.metafile.outputs });
const bundled = new Set(files.flatMap((file) => [file, `${file}.map`]));
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  const file = `dist/${name.replaceAll("\\", "/")}`;
  const source = file.replace(/^dist/, "src").replace(/\.d\.ts$/, ".ts");
  if (/\.c?js(\.map)?$/.test(file) && !bundled.has(file)) rmSync(file);
  if (/\.d\.ts$/.test(file) && !existsSync(source)) rmSync(file);
}

/** The licences of the packages that files lie in. */
function licencesOf(files) {
  const folders = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  return `What is bundled into the files beside this one, and under which terms.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/** Commander can run commands that are programs of their own: ours are not, and what would start them takes long to load. */
function leaveOutUnused({ onResolve, onLoad }) {
  onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
    /[\\/]commander[\\/]/.test(importer) ? { path: "child_process", namespace: "unused" } : undefined,
  );
  onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
}

async function writeCommonJs(file, module) {
  const { code, map } = await transform(module, {
    format: "cjs",
    platform: "node",
    target: "node20",
    sourcefile: file,
    sourcemap: true,
    ...shortened,
    supported: { "dynamic-import": false },
  });
  writeFileSync(file, `${code}//# sourceMappingURL=${file.split("/").pop()}.map\n`);
  writeFileSync(`${file}.map`, map);
}
