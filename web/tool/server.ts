/**
 * Serves the playground on this machine: the built site, and SeaBIOS where that is installed. It needs no COOP or COEP
 * header; its policy allows what the page needs and nothing else.
 */
import { createReadStream, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { hasBios, readBios } from "../../examples/bios.js";

export interface ServeOptions {
  /** Default: one that is free. */
  port?: number;
  /** Whether this machine's SeaBIOS is served, if there is one. Default: true. */
  bios?: boolean;
  /** Forbids WebAssembly: the disks then work by the TypeScript engine, and no machine starts. Default: false. */
  strict?: boolean;
}

export interface Server {
  /** With a slash at its end. */
  url: string;
  close(): Promise<void>;
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".map": "application/json",
};

export async function serveSite(folder: string, options: ServeOptions = {}): Promise<Server> {
  const { port = 0, bios = true, strict = false } = options;
  const server = createServer((request, response) => {
    response.setHeader("Content-Security-Policy", policy(strict));
    response.setHeader("Cache-Control", "no-cache");
    const path = pathOf(request);
    if (path.startsWith("bios/")) sendBios(response, bios ? path.slice("bios/".length) : "");
    else sendFile(response, join(folder, path));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** v86 keeps its time with a worker that it makes from a Blob. */
function policy(strict: boolean): string {
  const script = strict ? "'self'" : "'self' 'wasm-unsafe-eval'";
  return `default-src 'self'; script-src ${script}; worker-src 'self' blob:; img-src 'self' data: blob:; object-src 'none'; base-uri 'self'`;
}

/** Relative to the site; never out of it. */
function pathOf({ url = "/" }: IncomingMessage): string {
  const [path = "/"] = url.split("?");
  return normalize(`/${decode(path)}`).slice(1) || "index.html";
}

/** What cannot be decoded names no file. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path).replaceAll("\0", "");
  } catch {
    return path;
  }
}

function sendBios(response: ServerResponse, name: string): void {
  const wanted = ({ "bios.bin": "bios", "vgabios.bin": "vgaBios" } as const)[name];
  if (wanted === undefined || !hasBios()) notFound(response);
  else response.writeHead(200, { "Content-Type": "application/octet-stream" }).end(readBios()[wanted]);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { "Content-Type": "text/plain" }).end("There is no such file here.\n");
}

function sendFile(response: ServerResponse, file: string): void {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) {
    notFound(response);
    return;
  }
  response.writeHead(200, {
    "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
    "Content-Length": stat.size,
  });
  createReadStream(file)
    .on("error", () => response.destroy())
    .pipe(response);
}
