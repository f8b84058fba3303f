/** The web site of the overlay example: page and worker, v86, the BIOS, and the base image by range requests. */
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { readBios } from "./bios.js";

export interface SiteOptions {
  /** The base image. */
  image: string;
  /** What the guest prints last, if that is known. */
  until: string;
  /** 0 for one that is free. */
  port: number;
}

export interface Site {
  url: string;
  close(): void;
}

type Content = { type: string; bytes: Uint8Array | string };

export async function startSite({ image, until, port }: SiteOptions): Promise<Site> {
  const contents = await makeContents(image, until);
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "/").slice(1).split("?");
    if (path === "base") return sendRange(request, response, image);
    const content = contents[path];
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": content.type }).end(content.bytes);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}

async function makeContents(image: string, until: string): Promise<Record<string, Content>> {
  const [page, worker] = await Promise.all([bundle("overlay-page"), bundle("overlay-worker")]);
  const { bios, vgaBios } = readBios();
  const v86 = (name: string) => readFileSync(createRequire(import.meta.url).resolve(`v86/build/${name}`));
  const binary = "application/octet-stream";
  return {
    "": { type: "text/html; charset=utf-8", bytes: html(versionOf(image), until) },
    "page.js": { type: "text/javascript", bytes: page },
    "worker.js": { type: "text/javascript", bytes: worker },
    "v86/libv86.mjs": { type: "text/javascript", bytes: v86("libv86.mjs") },
    "v86/v86.wasm": { type: "application/wasm", bytes: v86("v86.wasm") },
    "bios/bios.bin": { type: binary, bytes: bios },
    "bios/vgabios.bin": { type: binary, bytes: vgaBios },
  };
}

async function bundle(name: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [`examples/${name}.ts`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  return outputFiles[0].contents;
}

const html = (version: string, until: string) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Overlay over HTTP</title>
<body data-state="booting" data-version="${version}" data-until="${until}" style="font: 16px/1.5 system-ui; margin: 2rem">
<h1>A disk over HTTP, its changes in this browser</h1><p role="status">Booting.</p>
<figure style="margin: 0"><div></div><canvas></canvas></figure><pre></pre>
<script type="module" src="page.js"></script></body></html>`;

/** Another file, or the same after a change, has another one. */
function versionOf(image: string): string {
  const { size, mtimeMs } = statSync(image);
  return `${size.toString(36)}-${Math.round(mtimeMs).toString(36)}`;
}

/** 206 for "bytes=first-last", as HttpStorage asks; what else there is in a server is in any real one. */
function sendRange({ headers }: IncomingMessage, response: ServerResponse, image: string): void {
  const { size } = statSync(image);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  const [start, end] = [Number(first), Math.min(Number(last), size - 1)];
  if (!(start <= end)) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return;
  }
  response.writeHead(206, {
    "Content-Type": "application/octet-stream",
    "Content-Length": end - start + 1,
    "Content-Range": `bytes ${start}-${end}/${size}`,
    ETag: `"${versionOf(image)}"`,
  });
  createReadStream(image, { start, end }).pipe(response);
}
