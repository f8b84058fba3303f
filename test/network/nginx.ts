/** A real nginx on a free port of the loopback device, with a configuration and a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findTool } from "../support/peers.js";

export class Nginx {
  /** What it serves lies here. */
  readonly root: string;
  readonly url: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.root = join(folder, "files");
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts one whose server block holds `locations`; FILES in them stands for the folder that it serves. */
  static async start(locations: string): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), "parablock-nginx-"));
    const port = await freePort();
    const nginx = new Nginx(folder, port);
    mkdirSync(nginx.root);
    writeFileSync(join(folder, "nginx.conf"), configuration(folder, port, locations));
    await nginx.resume();
    return nginx;
  }

  /** Starts it again after `stop`, on the same port. */
  async resume(): Promise<void> {
    let log = "";
    const child = spawn(
      findTool("nginx")!,
      ["-p", this.#folder, "-c", join(this.#folder, "nginx.conf"), "-e", "stderr"],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    child.stderr.on("data", (bytes) => {
      log += bytes;
    });
    this.#child = child;
    while (!(await isListening(this.url))) {
      if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}: ${log}`);
      await sleep(10);
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One process in the foreground: it is the test's child, and keeps its rights, as root too. */
function configuration(folder: string, port: number, locations: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  default_type application/octet-stream;
  ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    root ${folder}/files;
    ${locations.replaceAll("FILES", `${folder}/files`)}
  }
}`;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export const isListening = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );
