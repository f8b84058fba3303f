/** What a server can make us hold, and for how long: no more than was asked for, and not for ever. */
import { describe, expect, it } from "vitest";
import { HttpStorage } from "../../src/storage/http.js";
import type { Fetch } from "../../src/storage/http-requests.js";
import { alive, collectGarbage } from "../support/garbage.js";
import { rangeServer } from "../support/range-server.js";
import { content, failureOf, KIB, openThenSpoil, QUICK, readSome, URL_ } from "./http-kit.js";

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

/** A byte every 20 ms. */
function dripping(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(new Uint8Array(1));
    },
  });
}
