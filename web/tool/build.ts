/** Builds the playground's site: page and workers bundled, the rest copied, v86 from its package as it comes. */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";

/** @param root the project's folder; @param folder where the site is to be: what is there already goes */
export async function buildSite(root: string, folder: string): Promise<void> {
  const web = join(root, "web");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: {
      page: join(web, "page/main.ts"),
      "disk-worker": join(web, "worker/main.ts"),
      bench: join(web, "worker/bench.ts"),
      style: join(web, "style/main.css"),
    },
    outdir: folder,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  for (const name of ["index.html", "icon.svg"]) cpSync(join(web, name), join(folder, name));
  const v86 = dirname(createRequire(resolve(root, "package.json")).resolve("v86/build/v86.wasm"));
  for (const name of ["libv86.mjs", "v86.wasm"]) cpSync(join(v86, name), join(folder, "v86", name));
}
