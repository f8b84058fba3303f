/** A server that does what nginx never would: it cuts answers, says nothing, lies. */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface Crooked extends AsyncDisposable {
  url: string;
  /** Requests so far. */
  readonly count: number;
}

/** Answers the request of this number, from 0, for `start` to `last`, by writing to the socket; it is closed afterwards. */
export type Reply = (socket: Socket, start: number, last: number, number: number) => void;

export async function startCrooked(reply: Reply): Promise<Crooked> {
  let count = 0;
  const server = createServer((request) => {
    const [start, last] = (/bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? []).slice(1).map(Number);
    reply(request.socket, start ?? 0, last ?? 0, count++);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get count() {
      return count;
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}

/** The head of a right answer; `more` are header lines. */
export function head(
  start: number,
  last: number,
  total: number,
  more = `Content-Length: ${last - start + 1}\r\n`,
): string {
  return `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${start}-${last}/${total}\r\nETag: "x"\r\nConnection: close\r\n${more}\r\n`;
}
