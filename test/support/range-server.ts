/** A web server without a network: a fetch that answers range requests from memory. Browsers have it, too. */
import type { Fetch } from "../../src/storage/http-requests.js";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

export interface AskedRange {
  start: number;
  /** Excluded. */
  end: number;
}

export interface RangeServer {
  fetch: Fetch;
  /** Every range that was asked for, in order. */
  asked: AskedRange[];
}

/** Spoils a right answer, puts another in its place, or throws what a broken connection throws. */
export type Spoil = (answer: Answer, asked: AskedRange, url: string) => Answer | Promise<Answer>;

/** Serves the content that `contentOf` has at the time. */
export function rangeServer(contentOf: () => Uint8Array, spoil: Spoil = (answer) => answer): RangeServer {
  const asked: AskedRange[] = [];
  return {
    asked,
    async fetch(url, init) {
      const [start, last] = /bytes=(\d+)-(\d+)/.exec(new Headers(init.headers).get("range")!)!.slice(1).map(Number);
      asked.push({ start: start!, end: last! + 1 });
      const { status, headers, body } = await spoil(rightAnswer(contentOf(), start!, last!), asked.at(-1)!, url);
      init.signal?.throwIfAborted();
      return new Response(body, { status, headers });
    },
  };
}

function rightAnswer(content: Uint8Array, start: number, last: number): Answer {
  const total = content.length;
  if (start >= total) return { status: 416, headers: { "content-range": `bytes */${total}` }, body: new Uint8Array(0) };
  const body = new Uint8Array(content.subarray(start, last + 1));
  const headers = {
    "content-range": `bytes ${start}-${start + body.length - 1}/${total}`,
    "content-length": `${body.length}`,
    etag: `"${hash(content)}"`,
  };
  return { status: 206, headers, body };
}

const hashes = new WeakMap<Uint8Array, number>();

/** FNV-1a. */
function hash(content: Uint8Array): number {
  const known = hashes.get(content);
  if (known !== undefined) return known;
  let value = 0x811c9dc5;
  for (const byte of content) value = Math.imul(value ^ byte, 0x01000193);
  hashes.set(content, value >>> 0);
  return value >>> 0;
}
