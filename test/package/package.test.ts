/** The packed package, used as its users do: from Node, from TypeScript, through a bundler, as a command. */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Installation, MANIFEST, ROOT } from "./installation.js";

let installation: Installation;

beforeAll(() => {
  installation = new Installation();
});

afterAll(() => installation?.remove());

describe("the tarball", () => {
  test("holds the built files and the documents of a package, nothing else", () => {
    const others = installation.packed.filter((path) => !/^dist\/.+\.(c?js|c?js\.map|d\.ts|wasm)$/.test(path));
    expect(others.sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "dist/LICENSES.txt", "package.json"]);
    expect(installation.packed.filter((path) => /^dist\/(cli\/|.*\.test\.)/.test(path))).toEqual([]);
  });

  test("is what publint calls clean", async () => {
    const { messages, pkg } = await publint({ pkgDir: installation.packagePath("."), pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([]);
  });

  test("has types first in every export, and every file that an export names", () => {
    for (const target of Object.values<string | Record<string, string>>(MANIFEST.exports)) {
      const conditions = typeof target === "string" ? { default: target } : target;
      if (typeof target !== "string") expect(Object.keys(conditions)).toEqual(["types", "default"]);
      for (const file of Object.values(conditions)) expect(installation.packed).toContain(file.replace("./", ""));
    }
  });
});

describe("in plain Node", () => {
  test("a disk in a file keeps what was written, in both faces", () => {
    installation.write(
      "use.js",
      `import { Disk, DiskSync } from "parablock";
      import { createFile, openFileSync } from "parablock/node";
      const disk = await createFile("use.hds", { size: 2 ** 24, clusterSize: 65536 });
      await disk.write(new TextEncoder().encode("parablock"), 65530);
      await disk.close();
      const again = openFileSync("use.hds", { readOnly: true });
      const bytes = new Uint8Array(9);
      again.read(bytes, 65530);
      again.close();
      const text = new TextDecoder().decode(bytes);
      const same = disk instanceof Disk && again instanceof DiskSync; // the two entries share their classes
      console.log(JSON.stringify({ text, same, allocatedBytes: again.allocatedBytes, engine: again.info.engine }));`,
    );
    const { status, stdout, stderr } = installation.run("node", "use.js");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const expected = { text: "parablock", same: true, allocatedBytes: 131072, engine: "wasm" };
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  test("`parablock/engine.wasm` is a module that needs no imports", () => {
    installation.write(
      "wasm.js",
      `import { readFileSync } from "node:fs";
      const module = new WebAssembly.Module(readFileSync(new URL(import.meta.resolve("parablock/engine.wasm"))));
      console.log(WebAssembly.Module.imports(module).length, WebAssembly.Module.exports(module).some(({ name }) => name === "map"));`,
    );
    expect(installation.run("node", "wasm.js").stdout).toBe("0 true\n");
  });

  test("the command's files need nothing but each other and Node, with the licences of what is in them beside them", () => {
    const files = installation.packed.filter((path) => /\.cjs$/.test(path));
    const needed = files.flatMap((file) => {
      const text = readFileSync(installation.packagePath(file), "utf8");
      return Array.from(text.matchAll(/\brequire\("([^"]+)"\)/g), ([, name]) =>
        name.startsWith(".") ? join(dirname(file), name) : name,
      );
    });
    expect(needed.length).toBeGreaterThan(files.length);
    const isThere = (name: string) => name.startsWith("node:") || builtinModules.includes(name) || files.includes(name);
    expect(needed.filter((name) => !isThere(name))).toEqual([]);
    const licences = readFileSync(installation.packagePath("dist/LICENSES.txt"), "utf8");
    for (const name of ["commander", "cli-table3", "cli-progress", "@noble/hashes", "@rgrove/parse-xml"])
      expect(licences).toMatch(new RegExp(`^${name} [\\d.]+ \\((?:MIT|ISC)\\)$`, "m"));
    const installed = readdirSync(join(installation.folder, "node_modules")).filter((name) => !name.startsWith("."));
    expect(installed.filter((name) => !["parablock", "koffi", "@koromix"].includes(name))).toEqual([]);
  });

  test("`parablock --version` says the package's version", () => {
    const { stdout, stderr, status } = installation.run("parablock", "--version");
    expect({ stdout, stderr, status }).toEqual({ stdout: `${MANIFEST.version}\n`, stderr: "", status: 0 });
  });
});

describe("in strict TypeScript, all declarations checked", () => {
  const source = `
    import { type BlockDevice, type BlockDeviceSync, type Extent, Disk, DiskError, DiskSync, MemoryStorage, type StorageSync } from "parablock";
    import { FileStorage, openFile } from "parablock/node";
    const storage: StorageSync = new MemoryStorage();
    const made: DiskSync = DiskSync.create(storage, { size: 512, format: "v1" });
    const disk: Disk = await Disk.open(await FileStorage.open("a.hds"), { base: made, engine: "js" });
    const status: Extent[] = await disk.status(0, 512);
    for (const run of status) run.fileOffset?.toFixed();
    // @ts-expect-error: not everything lies in a file
    status[0].fileOffset.toFixed();
    const device: BlockDevice = disk;
    const beneath: BlockDeviceSync = made;
    // @ts-expect-error: a synchronous disk cannot stand on an asynchronous storage
    DiskSync.open(await FileStorage.open("a.hds"));
    try { await openFile("b.hds"); } catch (error) {
      if (error instanceof DiskError && error.code === "NOT_FOUND") throw error.cause;
    }
    export { device, beneath };`;

  test.each([
    ["bundler", "esnext"],
    ["nodenext", "nodenext"],
  ])("moduleResolution %s needs no more than ES2022 and the DOM", (moduleResolution, module) => {
    const compilerOptions = {
      ...{ strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noEmit: true },
      ...{ target: "es2022", lib: ["es2022", "dom"], types: [], module, moduleResolution },
    };
    installation.write("consumer.ts", source);
    installation.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
    const { stdout, status } = installation.run("node", join(ROOT, "node_modules/typescript/bin/tsc"), "-p", ".");
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});

describe("bundled for a browser", () => {
  const source = `
    import { Disk, DiskSync, MemoryStorage } from "parablock";
    const disk = DiskSync.create(new MemoryStorage(), { size: 2 ** 20, clusterSize: 4096, engine: "wasm" });
    disk.write(Uint8Array.from("in a page", (c) => c.charCodeAt(0)), 4092);
    globalThis.report = (async () => {
      const upper = await Disk.create(new MemoryStorage(), { size: 2 ** 20, base: disk });
      const bytes = new Uint8Array(9);
      await upper.read(bytes, 4092);
      return [String.fromCharCode(...bytes), upper.info.engine, disk.allocatedBytes];
    })();`;

  test("it imports nothing of Node and works where only a browser's globals are", async () => {
    const { outputFiles, warnings } = await build({
      stdin: { contents: source, resolveDir: installation.folder },
      ...{ bundle: true, platform: "browser", format: "iife", target: "es2022", write: false, logLevel: "silent" },
    });
    const { text } = outputFiles[0];
    expect(warnings).toEqual([]);
    expect(text).not.toMatch(/["'`]node:|\brequire\(/);
    const page: Record<string, unknown> = createContext({ atob, performance, MessageChannel });
    runInContext(text, page);
    expect(Array.from((await page.report) as unknown[])).toEqual(["in a page", "wasm", 8192]);
  });
});
