/**
 * A web site for one test file: bundles made from TypeScript, pages that load them, and contents that tests put there.
 * It sends no COOP or COEP header, and a Content-Security-Policy only where one is given.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";

export interface SiteOptions {
  /** Modules to bundle, by name: "app" is served as /app.js. Paths are relative to the working directory, the repository. */
  scripts?: Record<string, string>;
  /** More things to serve, by path from the root ("/index.html"). "/" is an empty page where this has none. */
  files?: Record<string, string | Uint8Array>;
  /** The Content-Security-Policy of all that is served. */
  contentSecurityPolicy?: string;
}

export interface Site {
  /** Without a slash at its end. */
  origin: string;
  /** What is served, by path from the root; PUT from a page adds to it, too. */
  files: Map<string, Uint8Array>;
  close(): Promise<void>;
}

/** The global that says that a script has run. */
export const LOADED = "scriptLoaded";

const TYPES: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  wasm: "application/wasm",
};

export async function startSite({ scripts = {}, files = {}, contentSecurityPolicy }: SiteOptions): Promise<Site> {
  const served = new Map<string, Uint8Array>([["/", Buffer.from("<!doctype html><title>test</title>")]]);
  for (const [path, content] of await bundle(scripts)) served.set(path, content);
  for (const [path, content] of Object.entries(files)) served.set(path, Buffer.from(content));
  const server = createServer((request, response) => {
    if (contentSecurityPolicy) response.setHeader("Content-Security-Policy", contentSecurityPolicy);
    void answer(served, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { origin: `http://127.0.0.1:${port}`, files: served, close };
}

/** ES modules, one a script. */
async function bundle(scripts: Record<string, string>): Promise<[string, Uint8Array][]> {
  const { outputFiles } = await build({
    entryPoints: scripts,
    bundle: true,
    write: false,
    outdir: "/",
    format: "esm",
    target: "es2022",
    sourcemap: "inline",
    footer: { js: `globalThis.${LOADED} = true;` },
    logLevel: "error",
  });
  return outputFiles.map(({ path, contents }) => [path, contents]);
}

async function answer(files: Map<string, Uint8Array>, request: IncomingMessage, response: ServerResponse) {
  const { pathname } = new URL(request.url ?? "/", "http://site");
  if (request.method === "PUT") {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    files.set(pathname, Buffer.concat(parts));
    response.writeHead(204).end();
    return;
  }
  const content = files.get(pathname);
  if (content === undefined) {
    response.writeHead(404).end();
    return;
  }
  const extension = pathname === "/" ? "html" : pathname.slice(pathname.lastIndexOf(".") + 1);
  response.setHeader("Content-Type", TYPES[extension] ?? "application/octet-stream");
  response.setHeader("ETag", `"${createHash("sha1").update(content).digest("hex")}"`);
  send(content, request.headers.range, response);
}

/** The whole or, where "bytes=first-last" is asked for, that part. */
function send(content: Uint8Array, range: string | undefined, response: ServerResponse): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (first === undefined) {
    response.end(content);
    return;
  }
  const [start, end] = [Number(first), Math.min(last ? Number(last) + 1 : content.length, content.length)];
  if (start >= content.length) {
    response.writeHead(416, { "Content-Range": `bytes */${content.length}` }).end();
    return;
  }
  response.writeHead(206, { "Content-Range": `bytes ${start}-${end - 1}/${content.length}` });
  response.end(content.subarray(start, end));
}
