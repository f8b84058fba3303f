/** A web server at the end of a long line: each answer begins so much later, and all share so many bytes a second. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Line {
  /** From a request to the first byte of its answer, in milliseconds. */
  latency: number;
  /** Bytes a second, for all answers together. */
  bandwidth: number;
}

export interface Link extends AsyncDisposable {
  url: string;
  /** What was asked for since it was last emptied; `end` is excluded. */
  asked: { start: number; end: number }[];
}

const PIECE = 64 * 1024;

/** Serves `size` bytes that tell where they lie, see `fillContent`. */
export async function startLink(size: number, { latency, bandwidth }: Line): Promise<Link> {
  const asked: Link["asked"] = [];
  let free = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const [start, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range!)!.slice(1).map(Number) as [number, number];
    const end = Math.min(last + 1, size);
    asked.push({ start, end });
    response.writeHead(206, {
      "Content-Range": `bytes ${start}-${end - 1}/${size}`,
      "Content-Length": end - start,
      ETag: '"content"',
    });
    free = Math.max(free, performance.now() + latency);
    for (let offset = start; offset < end; offset += PIECE) {
      const piece = new Uint8Array(Math.min(PIECE, end - offset));
      fillContent(piece, offset);
      free += (1000 * piece.length) / bandwidth;
      await until(free);
      response.write(piece);
    }
    response.end();
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.img`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The content from `offset` on: every byte follows from its sector and its place there. */
export function fillContent(target: Uint8Array, offset: number): void {
  for (let at = 0; at < target.length; at++) target[at] = ((offset + at) >>> 9) * 31 + at + offset;
}

const until = (time: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, time - performance.now())));
