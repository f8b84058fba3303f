/** What a server can make us hold, and for how long: no more than was asked for, and not for ever. */
import { describe, expect, it } from "vitest";
import { HttpStorage } from "../../src/storage/http.js";
import type { Fetch } from "../../src/storage/http-requests.js";
import { alive, collectGarbage } from "../support/garbage.js";
import { rangeServer, type Spoil } from "../support/range-server.js";
import { content, failureOf, KIB, openThenSpoil, QUICK, readSome, URL_, withHeaders, without } from "./http-kit.js";

const MIB = 1024 * KIB;

describe("What a server sends", () => {
  it("is not kept piece by piece while an answer goes on", async () => {
    const pieces: WeakRef<Uint8Array>[] = [];
    const size = 64 * MIB;
    let finish = () => {};
    const body = () =>
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (pieces.length === 63) await new Promise<void>((resolve) => (finish = resolve));
          if (pieces.length === 64) return controller.close();
          const piece = new Uint8Array(MIB);
          pieces.push(new WeakRef(piece));
          controller.enqueue(piece);
        },
      });
    const fetch: Fetch = async (_, { headers }) => {
      const [start, last] = /(\d+)-(\d+)/.exec(new Headers(headers).get("range")!)!.slice(1).map(Number);
      const head = { "content-range": `bytes ${start}-${last}/${size}`, etag: '"x"' };
      return new Response(last === 1 ? new Uint8Array(2) : body(), { status: 206, headers: head });
    };
    const storage = await HttpStorage.open(URL_, { ...QUICK, fetch });
    const reading = storage.read(new Uint8Array(size), 0);
    while (pieces.length < 63) await new Promise((resolve) => setImmediate(resolve));
    await collectGarbage();
    expect(alive(pieces)).toBeLessThan(8);
    finish();
    expect(await reading).toBe(size);
  });

  it("is given up where it drips", async () => {
    const server = rangeServer(() => content);
    const fetch: Fetch = async (url, init) => {
      const response = await server.fetch(url, init);
      return server.asked.length === 1 ? response : new Response(dripping(), response);
    };
    const storage = await HttpStorage.open(URL_, { ...QUICK, fetch, timeout: 200, retries: 1 });
    const error = await failureOf(readSome(storage));
    expect(error.code).toBe("IO");
    expect(error.message).toMatch(/failed 2 times, the last time because no( more than \d+)? bytes? came for 200 ms/);
  });

  it.each([undefined, null, "gone", 7, {}])("is an error also where the fetch fails with %j", async (thrown) => {
    const { storage } = await openThenSpoil(() => Promise.reject(thrown), { retries: 1 });
    const error = await failureOf(readSome(storage));
    expect([error.code, (error.cause as Error).cause]).toEqual(["IO", thrown]);
  });
});

describe("What a server writes", () => {
  // The C1 control that begins a terminal's commands may stand in a header, and line ends in a status.
  const evil = `\x9b31m${"x".repeat(100_000)}\x9b`;
  const places: [string, Spoil][] = [
    ["Content-Range", (answer) => withHeaders(answer, { "content-range": evil })],
    ["ETag", (answer) => withHeaders(answer, { etag: evil })],
    ["Content-Encoding", (answer) => withHeaders(answer, { "content-encoding": evil })],
    ["Content-Length", (answer) => withHeaders(answer, { "content-length": evil })],
    ["multipart type", (answer) => withHeaders(answer, { "content-type": `multipart/byteranges; boundary=${evil}` })],
    ["Content-Range of 416", () => ({ status: 416, headers: { "content-range": evil }, body: new Uint8Array(0) })],
    ["Retry-After", (answer) => ({ ...withHeaders(answer, { "retry-after": evil }), status: 503 })],
  ];
  it.each(places)("as %s is no more than a line of print in a message", async (_, spoil) => {
    for (const options of [{}, { wholeFile: true }]) {
      const { storage } = await openThenSpoil(spoil, { ...options, retries: 0 });
      const { message, details } = await failureOf(readSome(storage));
      expect(message.length).toBeLessThanOrEqual(1000);
      expect(JSON.stringify(details).length).toBeLessThan(2000);
      expect(message + JSON.stringify(details)).not.toMatch(/[\p{Cc}]/u);
    }
  });

  it("as a status is no more, either", async () => {
    const server = rangeServer(() => content);
    const fetch: Fetch = async (url, init) => {
      const right = await server.fetch(url, init);
      return server.asked.length === 1 ? right : new Response(null, { status: 400, statusText: evil });
    };
    const { message } = await failureOf(readSome(await HttpStorage.open(URL_, { ...QUICK, fetch })));
    expect(message.length).toBeLessThanOrEqual(1000);
    expect(message).not.toMatch(/\p{Cc}/u);
  });

  it("as several ranges is refused as that", async () => {
    const type = { "content-type": "multipart/byteranges; boundary=x" };
    const { storage } = await openThenSpoil((answer) => withHeaders(without(answer, "content-range"), type));
    const { code, message } = await failureOf(readSome(storage));
    expect([code, message]).toEqual(["BAD_RESPONSE", expect.stringMatching(/got several parts.*that range alone/)]);
  });
});

describe("A fetch of the caller's own", () => {
  const range = { "content-range": `bytes 0-1/${content.length}`, etag: '"x"' };
  const stream = (piece: unknown) => new ReadableStream({ start: (controller) => controller.enqueue(piece) });
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["no response", { ok: true }],
    ["text", "206"],
    ["a body of text", { status: 206, headers: new Headers(range), body: stream("xx") }],
    ["a body of nothing", { status: 206, headers: new Headers(range), body: stream(undefined) }],
  ])("that answers %s is named, and not asked again", async (_, answer) => {
    let asked = 0;
    const fetch = async () => {
      asked++;
      return answer as Response;
    };
    const { code, message } = await failureOf(HttpStorage.open(URL_, { ...QUICK, fetch }));
    expect([code, asked]).toEqual(["BAD_RESPONSE", 1]);
    expect(message).toMatch(/The fetch that was given must answer with a Response/);
  });
});

/** A byte every 20 ms. */
function dripping(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(new Uint8Array(1));
    },
  });
}
