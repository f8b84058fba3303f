/** A file that is fetched as a whole: where a server serves no ranges, and where its SHA-256 is known. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { HttpStorage } from "../../src/storage/http.js";
import type { HttpOptions } from "../../src/storage/http-options.js";
import type { Fetch } from "../../src/storage/http-requests.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { type Answer, rangeServer, type Spoil } from "../support/range-server.js";
import { failureOf, KIB, openAt, QUICK, URL_, withHeaders, without } from "./http-kit.js";

const MIB = 1024 * KIB;
/** More than two pieces of memory, and no round number. */
const content = patternBytes(3, 2 * MIB + 12_345);
const sha256 = createHash("sha256").update(content).digest("hex");

/** A server without ranges: it sends everything, with 200. */
const plainServer = (spoil: Spoil = (answer) => answer, held = content) =>
  rangeServer(
    () => held,
    (_, asked, url) => spoil(wholeAnswer(held), asked, url),
  );
const wholeAnswer = (held: Uint8Array): Answer => ({
  status: 200,
  headers: { "content-length": `${held.length}`, "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT" },
  body: new Uint8Array(held),
});

async function expectContent(storage: HttpStorage): Promise<void> {
  expect(storage.size()).toBe(content.length);
  const random = randomFrom(1);
  for (let step = 0; step < 40; step++) {
    const offset = below(random, content.length);
    const buffer = new Uint8Array(1 + below(random, 3 * MIB));
    const moved = await storage.read(buffer, offset);
    expect(moved).toBe(Math.min(buffer.length, content.length - offset));
    expect(Buffer.compare(buffer.subarray(0, moved), content.subarray(offset, offset + moved))).toBe(0);
  }
  expect(await storage.read(new Uint8Array(1), content.length)).toBe(0);
}

describe("A server without ranges", () => {
  it("is refused, with what would help, unless the whole file may be fetched", async () => {
    for (const options of [{}, { wholeFile: false }, { wholeFile: 0 }]) {
      const error = await failureOf(openAt(plainServer(), options));
      expect(error.code).toBe("BAD_RESPONSE");
      expect(error.message).toMatch(/got 200 with the whole file.*byte ranges.*the option wholeFile/);
    }
  });

  it.each<[string, HttpOptions]>([
    ["true", { wholeFile: true }],
    ["enough bytes", { wholeFile: content.length }],
    ["a length and true", { wholeFile: true, expect: { length: content.length } }],
  ])("sends the file once, and memory answers from then on: %s", async (_, options) => {
    const server = plainServer();
    const storage = await openAt(server, options);
    expect([storage.statistics.pinned, storage.statistics.bytes]).toEqual(["whole", content.length]);
    await expectContent(storage);
    expect(server.asked.length).toBe(1);
    storage.close();
    expect(() => storage.read(new Uint8Array(1), 0)).toThrow(/is closed/);
  });

  it("is asked again from the start where its answer was cut", async () => {
    const server = plainServer();
    const fetch: Fetch = async (url, init) => {
      const response = await server.fetch(url, init);
      if (server.asked.length > 2) return response;
      return new Response(content.slice(0, MIB + server.asked.length), { headers: response.headers });
    };
    const received: number[] = [];
    const storage = await HttpStorage.open(URL_, {
      ...{ ...QUICK, fetch, wholeFile: true },
      onprogress: (count, total) => {
        expect(total).toBe(content.length);
        received.push(count);
      },
    });
    await expectContent(storage);
    expect(storage.statistics).toMatchObject({ requests: 3, retries: 2 });
    expect([received[0], received.filter((count) => count === 0).length, received.at(-1)]).toEqual([
      0,
      3,
      content.length,
    ]);
  });

  it("is believed about a packed answer only as far as something tells the length of the file", async () => {
    // fetch has unpacked it; the length is that of the packed one.
    const packed: Spoil = (answer) => withHeaders(answer, { "content-encoding": "gzip", "content-length": "99" });
    const unknown: Spoil = (answer) => without(answer, "content-length");
    for (const spoil of [packed, unknown]) {
      const error = await failureOf(openAt(plainServer(spoil), { wholeFile: true }));
      expect(error.code).toBe("BAD_RESPONSE");
      expect(error.message).toMatch(/expected a Content-Length for the file, got .*would pass for the whole file/);
      for (const expected of [{ length: content.length }, { sha256 }, { length: content.length, sha256 }])
        await expectContent(await openAt(plainServer(spoil), { wholeFile: true, expect: expected }));
    }
    const cut: Spoil = (answer) => ({
      ...(unknown(answer, { start: 0, end: 2 }, "") as Answer),
      body: content.slice(0, MIB),
    });
    const error = await failureOf(
      openAt(plainServer(cut), { wholeFile: true, retries: 1, expect: { length: content.length } }),
    );
    expect(error.message).toMatch(/failed 2 times, the last time because the answer ended after 1048576 of/);
    expect((await failureOf(openAt(plainServer(cut), { expect: { sha256 } }))).code).toBe("CHANGED");
  });

  it("is given up at the limit, whatever it announces and however it goes on", async () => {
    const announced = plainServer();
    const error = await failureOf(openAt(announced, { wholeFile: MIB }));
    expect([error.code, announced.asked.length]).toEqual(["TOO_LARGE", 1]);
    expect(error.message).toMatch(
      /the whole file has 2109497 bytes, no more than 1048576 .*raise the option wholeFile/,
    );
    let [sent, cancelled] = [0, false];
    const endless: Fetch = async () => {
      const pull = (controller: ReadableStreamDefaultController) => {
        sent += 64 * KIB;
        controller.enqueue(new Uint8Array(64 * KIB));
      };
      const cancel = () => {
        cancelled = true;
      };
      return new Response(new ReadableStream({ pull, cancel }, { highWaterMark: 0 }));
    };
    const options: HttpOptions = { ...QUICK, fetch: endless, wholeFile: 3 * MIB, expect: { sha256 } };
    const later = await failureOf(HttpStorage.open(URL_, options));
    expect(later.message).toMatch(/the whole file has more than 3145728 bytes/);
    expect(later.code).toBe("TOO_LARGE");
    expect([sent < 3.2 * MIB, cancelled]).toEqual([true, true]);
  });

  it("that sends more than it announced is refused", async () => {
    const more: Spoil = (answer) => ({ ...answer, body: new Uint8Array([...answer.body, 1]) });
    expect((await failureOf(openAt(plainServer(more), { wholeFile: true }))).code).toBe("BAD_RESPONSE");
  });

  it("serves an empty file, too", async () => {
    const storage = await openAt(plainServer(undefined, new Uint8Array(0)), { wholeFile: true });
    expect([storage.size(), await storage.read(new Uint8Array(1), 0)]).toEqual([0, 0]);
  });

  it("has the error of a hook that throws be the hook's own", async () => {
    const onprogress = () => {
      throw new RangeError("enough");
    };
    const server = plainServer();
    await expect(openAt(server, { wholeFile: true, onprogress })).rejects.toThrow(new RangeError("enough"));
    expect(server.asked.length).toBe(1);
  });
});

describe("A SHA-256 that is known", () => {
  it.each(["with ranges", "without ranges"])(
    "has the whole file fetched and checked before it opens, %s",
    async (kind) => {
      const server = kind === "with ranges" ? rangeServer(() => content) : plainServer();
      const storage = await openAt(server, { expect: { sha256: sha256.toUpperCase() } });
      expect(storage.statistics.pinned).toBe("digest");
      await expectContent(storage);
      expect(storage.statistics.bytes).toBeLessThanOrEqual(content.length + 2);
      const other = createHash("sha256").update("other").digest("hex");
      const error = await failureOf(openAt(server, { expect: { sha256: other } }));
      expect([error.code, error.message]).toEqual([
        "CHANGED",
        expect.stringMatching(`expected SHA-256 ${other}, got ${sha256}`),
      ]);
    },
  );

  it("finds bytes of two contents that no header tells apart", async () => {
    let held = content;
    const server = rangeServer(
      () => held,
      (answer, { start }) => {
        if (start === 0) held = patternBytes(4, content.length);
        return without(answer, "etag");
      },
    );
    expect((await failureOf(openAt(server, { expect: { sha256 } }))).code).toBe("CHANGED");
  });

  it("is refused for a file larger than may be kept, before it is fetched", async () => {
    const server = rangeServer(() => content);
    const error = await failureOf(openAt(server, { wholeFile: MIB, expect: { sha256 } }));
    expect([error.code, server.asked.length]).toEqual(["TOO_LARGE", 1]);
  });

  it("asks for the rest alone where a range was cut", async () => {
    const server = rangeServer(() => content);
    const fetch: Fetch = async (url, init) => {
      const response = await server.fetch(url, init);
      if (server.asked.length !== 2) return response;
      const cut = (await response.arrayBuffer()).slice(0, MIB);
      return new Response(cut, { status: 206, headers: response.headers });
    };
    const storage = await HttpStorage.open(URL_, { ...QUICK, fetch, expect: { sha256 } });
    await expectContent(storage);
    expect(server.asked[2]).toEqual({ start: MIB, end: content.length });
  });
});
