/** Web servers that people serve images with, each as it comes: started on a free port of the loopback device. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, preview } from "vite";
import type { Pinned } from "../../src/storage/http-version.js";
import { findTool, type Need, tool } from "../support/peers.js";
import { freePort, isListening, Nginx } from "./nginx.js";

/** A server that runs; what it serves lies in `root`. */
export interface FileServer extends AsyncDisposable {
  root: string;
  url: string;
}

/** A kind of server. */
export interface ServerKind {
  name: string;
  needs: Need[];
  /** By what it tells contents apart, in a file that is not of this moment. */
  pinned: Pinned;
  start(): Promise<FileServer>;
}

export const nginx: ServerKind = {
  name: "nginx",
  needs: [tool("nginx")],
  pinned: "etag",
  start: () => Nginx.start(""),
};

export const busybox: ServerKind = {
  name: "busybox httpd",
  needs: [tool("busybox")],
  pinned: "etag",
  start: () => startProgram((root, port) => ["busybox", "httpd", "-f", "-p", `127.0.0.1:${port}`, "-h", root]),
};

/** It knows no ranges. */
export const python: ServerKind = {
  name: "python3 -m http.server",
  needs: [tool("python3")],
  pinned: "whole",
  start: () => startProgram((root, port) => ["python3", "-m", "http.server", "-b", "127.0.0.1", "-d", root, `${port}`]),
};

/** What `vite preview` and SvelteKit serve with: sirv. */
export const vitePreview: ServerKind = {
  name: "Vite's preview server",
  needs: [],
  pinned: "weak-etag",
  async start() {
    const root = mkdtempSync(join(tmpdir(), "parablock-vite-"));
    const port = await freePort();
    const server = await preview({
      ...{ root, configFile: false, logLevel: "silent" },
      build: { outDir: root },
      preview: { host: "127.0.0.1", port, strictPort: true },
    });
    return { root, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => closing(server, root) };
  },
};

export const viteDev: ServerKind = {
  name: "Vite's dev server",
  needs: [],
  pinned: "weak-etag",
  async start() {
    const root = mkdtempSync(join(tmpdir(), "parablock-vite-"));
    const port = await freePort();
    const server = await createServer({
      ...{ root, configFile: false, logLevel: "silent", publicDir: root },
      server: { host: "127.0.0.1", port, strictPort: true, watch: null, ws: false },
    });
    await server.listen();
    return { root, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => closing(server, root) };
  },
};

async function closing(server: { close(): Promise<void> }, root: string): Promise<void> {
  await server.close();
  rmSync(root, { recursive: true, force: true });
}

async function startProgram(command: (root: string, port: number) => string[]): Promise<FileServer> {
  const root = mkdtempSync(join(tmpdir(), "parablock-server-"));
  const port = await freePort();
  const [name, ...args] = command(root, port);
  const child = spawn(findTool(name!)!, args, { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  while (!(await isListening(url))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { root, url, [Symbol.asyncDispose]: () => ending(child, root) };
}

async function ending(child: ChildProcess, root: string): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.kill("SIGTERM")) await ended;
  rmSync(root, { recursive: true, force: true });
}
