// Bundles the library's entry points and the command into dist/, sharing what they have in common, and removes what
// earlier builds left there. tsc adds the types.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

const { version, dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync("package.json", "utf8"));

const { metafile } = await build({
  entryPoints: {
    index: "src/index.ts",
    node: "src/node.ts",
    bundle: "src/bundle.ts",
    v86: "src/adapters/v86.ts",
    "sync-disk": "src/adapters/sync-disk.ts",
    cli: "src/cli/main.ts",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  mainFields: ["browser", "module", "main"], // of the packages that are bundled
  chunkNames: "shared/[name]-[hash]",
  sourcemap: true,
  metafile: true,
  external: ["node:*", ...Object.keys({ ...dependencies, ...optionalDependencies })],
  define: { PARABLOCK_VERSION: JSON.stringify(version) },
  logLevel: "warning",
});
chmodSync("dist/cli.js", 0o755);

// Stale files go one by one, after the new ones are there: who runs from dist/ meanwhile is hardly disturbed.
const bundled = new Set(Object.keys(metafile.outputs));
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  const file = `dist/${name.replaceAll("\\", "/")}`;
  const source = file.replace(/^dist/, "src").replace(/\.d\.ts$/, ".ts");
  if (/\.js(\.map)?$/.test(file) && !bundled.has(file)) rmSync(file);
  if (/\.d\.ts$/.test(file) && !existsSync(source)) rmSync(file);
}
