/** The package as its users get it: packed by npm and installed in an empty folder. Needs `npm run build` before. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const MANIFEST = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

export class Installation {
  /** The folder of a project that depends on the package and on nothing else. */
  readonly folder = mkdtempSync(join(tmpdir(), "parablock-package-"));
  /** What the tarball holds, as paths below the package's folder. */
  readonly packed: string[];

  constructor() {
    if (!existsSync(join(ROOT, "dist/index.d.ts"))) throw new Error("dist/ is missing: run `npm run build` first");
    this.write("package.json", JSON.stringify({ name: "empty", private: true, type: "module" }));
    const tarball = this.#pack();
    this.packed = tarball.paths;
    if (!this.#install(tarball.file)) this.#unpack(tarball.file);
  }

  /** Where a file of the installed package lies. */
  packagePath(name: string): string {
    return join(this.folder, "node_modules/parablock", name);
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.folder, name), content);
  }

  /** Runs a program in the folder, with the installed commands in its path. */
  run(program: string, ...args: string[]): Outcome {
    const path = `${join(this.folder, "node_modules/.bin")}:${process.env.PATH}`;
    return spawnSync(program, args, { cwd: this.folder, encoding: "utf8", env: { ...process.env, PATH: path } });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #pack(): { file: string; paths: string[] } {
    // The scripts would build again, under the feet of the tests that run from dist/ at the same time.
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", this.folder];
    const { status, stdout, stderr } = spawnSync("npm", args, { cwd: ROOT, encoding: "utf8" });
    if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
    const [{ filename, files }] = JSON.parse(stdout);
    return { file: join(this.folder, filename), paths: files.map(({ path }: { path: string }) => path) };
  }

  /** Installs as a user does, if npm's cache has the dependencies: tests must not need a network. */
  #install(tarball: string): boolean {
    const flags = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
    return this.run("npm", "install", ...flags, tarball).status === 0;
  }

  /** The same layout by hand: the dependencies are the repository's own. */
  #unpack(tarball: string): void {
    const modules = join(this.folder, "node_modules");
    rmSync(modules, { recursive: true, force: true });
    mkdirSync(join(modules, ".bin"), { recursive: true });
    mkdirSync(this.packagePath("."));
    const { status } = this.run("tar", "-xzf", tarball, "--strip-components=1", "-C", this.packagePath("."));
    if (status !== 0) throw new Error(`${tarball} could not be unpacked`);
    for (const name of Object.keys({ ...MANIFEST.dependencies, ...MANIFEST.optionalDependencies })) {
      const installed = join(ROOT, "node_modules", name);
      if (existsSync(installed)) symlinkSync(installed, join(modules, name));
    }
    chmodSync(this.packagePath(MANIFEST.bin.parablock), 0o755);
    symlinkSync(this.packagePath(MANIFEST.bin.parablock), join(modules, ".bin/parablock"));
  }
}
