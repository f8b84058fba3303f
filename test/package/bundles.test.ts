/** Programs that bundlers made of the package find koffi where their modules lie, and say so where they do not. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFileSync } from "../../src/node.js";
import { Child } from "../processes/programs.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, nativeCalls, testWith, tool } from "../support/peers.js";
import { Installation, ROOT } from "./installation.js";

const path = temporaryFolder();
let installation: Installation;
let image: string;

beforeAll(() => {
  installation = new Installation();
  image = path("disk.hds");
  createFileSync(image, { size: 2 ** 20, clusterSize: 4096 }).close();
  for (const place of ["with", "without"]) mkdirSync(path(place));
  mkdirSync(path("with/node_modules"));
  symlinkSync(join(ROOT, "node_modules/koffi"), path("with/node_modules/koffi"), "dir");
});

afterAll(() => installation.remove());

/** Opens the image for writing, says how it is locked, and holds it until its input ends. */
const HOLD = `
  const disk = openFileSync(process.argv[2]);
  const { lock, lockFallback } = disk.info;
  console.log(JSON.stringify({ lock, lockFallback }));
  process.stdin.on("end", () => disk.close()).resume();`;
const SOURCE = `import { openFileSync } from "parablock/node";${HOLD}`;

/** Bundles a program that uses the package; answers the file, in a folder of its own choice. */
function bundle(folder: string, name: string, contents = SOURCE, external: string[] = []): string {
  const outfile = path(`${folder}/${name}`);
  buildSync({
    stdin: { contents, resolveDir: installation.folder },
    ...{ bundle: true, platform: "node", target: "node20", outfile, external, logLevel: "silent" },
    format: name.endsWith(".cjs") ? "cjs" : "esm",
  });
  return outfile;
}

/** What a program says of its lock. It runs in the root directory, where it finds nothing by chance. */
async function lockOf(
  program: string,
  then = async (_: Child) => {},
): Promise<{ lock: string; lockFallback?: string }> {
  const child = new Child("sh", ["-c", `cd / && exec "$0" "$@"`, process.execPath, program, image]);
  const answer = JSON.parse(await child.line());
  await then(child);
  await child.finish();
  return answer;
}

describeWith([nativeCalls], "A bundle beside which koffi is installed", () => {
  test.each(["bundle.cjs", "bundle.mjs"])("locks by the system (%s)", async (name) => {
    expect(await lockOf(bundle("with", name))).toEqual({ lock: "system" });
  });

  testWith([tool("qemu-io")], "in CommonJS form keeps QEMU out while it has an image", async () => {
    await lockOf(bundle("with", "bundle.cjs"), async () => {
      const { stderr } = spawnSync("qemu-io", ["-f", "parallels", "-c", "write 0 512", image], { encoding: "utf8" });
      expect(stderr).toMatch(/Failed to get .* lock/);
    });
  });

  test("may hold the library twice", async () => {
    bundle("with", "one.cjs", `export * from "parablock/node";`);
    bundle("with", "two.cjs", `export * from "parablock/node";`);
    const program = path("with/twice.cjs");
    const first = `require("./one.cjs").openFileSync(process.argv[2]).close();`;
    writeFileSync(program, `${first} const { openFileSync } = require("./two.cjs");${HOLD}`);
    expect(await lockOf(program)).toEqual({ lock: "system" });
  });

  test("finds it from the program, where the bundle was loaded from text", async () => {
    const text = bundle("without", "text.cjs", `export * from "parablock/node";`);
    const program = path("with/main.cjs");
    const load = `const module_ = { exports: {} };
      new Function("module", "exports", "require", require("fs").readFileSync(${JSON.stringify(text)}, "utf8"))(module_, module_.exports, require);
      const { openFileSync } = module_.exports;`;
    writeFileSync(program, load + HOLD);
    expect(await lockOf(program)).toEqual({ lock: "system" });
  });
});

describe("A bundle beside which there is no koffi", () => {
  test.each(["bundle.cjs", "bundle.mjs"])("says that it locks by files, and why (%s)", async (name) => {
    expect(await lockOf(bundle("without", name))).toEqual({
      lock: "file",
      lockFallback:
        process.platform === "linux"
          ? "the optional package koffi is not installed where the program's modules lie"
          : expect.stringContaining("not available on"),
    });
  });

  test("does not load what lies in the working directory under that name", () => {
    const trap = path("trap/node_modules/koffi");
    mkdirSync(trap, { recursive: true });
    writeFileSync(join(trap, "index.js"), `console.log("loaded"); module.exports = { load() {} };`);
    const program = bundle("without", "bundle.cjs");
    const { stdout } = spawnSync(process.execPath, [program, image], {
      cwd: path("trap"),
      encoding: "utf8",
      input: "",
    });
    expect(JSON.parse(stdout).lock).toBe("file");
  });

  test("says what is wrong with one that does not work", async () => {
    mkdirSync(path("broken/node_modules/koffi"), { recursive: true });
    writeFileSync(
      path("broken/node_modules/koffi/index.js"),
      `throw new Error("no binary for this machine\\nat all");`,
    );
    const { lock, lockFallback } = await lockOf(bundle("broken", "bundle.cjs"));
    expect(lock).toBe("file");
    if (process.platform === "linux") expect(lockFallback).toBe("koffi does not work here: no binary for this machine");
  });

  testWith([nativeCalls], "locks by the system where it is handed in", async () => {
    const koffi = JSON.stringify(join(ROOT, "node_modules/koffi"));
    const contents = `import { openFileSync, useKoffi } from "parablock/node"; useKoffi(require(${koffi}));${HOLD}`;
    expect(await lockOf(bundle("without", "handed.cjs", contents, ["/*"]))).toEqual({ lock: "system" });
  });

  test("refuses what is not koffi", async () => {
    const { useKoffi } = await import("../../src/node.js");
    for (const wrong of [undefined, null, "koffi", {}, { default: undefined }])
      expect(() => useKoffi(wrong as never)).toThrow(/^koffi: expected what import or require of koffi answers/);
  });
});

test("The package imports `createRequire` by no name: webpack would answer such calls itself, with nothing", () => {
  const folder = dirname(installation.packagePath("dist/node.js"));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const named = files.filter((name) =>
    /import\s*\{[^}]*\bcreateRequire\b/.test(readFileSync(join(folder, name), "utf8")),
  );
  expect(named).toEqual([]);
});
