import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskError } from "../../src/errors.js";
import { HttpStorage } from "../../src/storage/http.js";
import { type Fetch, waitBefore } from "../../src/storage/http-requests.js";
import { retryAfterOf } from "../../src/storage/http-response.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { type Answer, rangeServer, type Spoil } from "../support/range-server.js";
import {
  content,
  failureOf,
  KIB,
  openAt,
  openThenSpoil,
  QUICK,
  readSome,
  URL_,
  withHeaders,
  without,
} from "./http-kit.js";

describe("HttpStorage", () => {
  it("opens with one request for two bytes, and reads what it needs from then on", async () => {
    const server = rangeServer(() => content);
    const storage = await openAt(server);
    expect(server.asked).toEqual([{ start: 0, end: 2 }]);
    expect([storage.size(), storage.path, storage.readOnly]).toEqual([content.length, URL_, true]);
    const buffer = new Uint8Array(100);
    expect(await storage.read(buffer, 20 * KIB)).toBe(100);
    expect(Buffer.compare(buffer, content.subarray(20 * KIB, 20 * KIB + 100))).toBe(0);
    expect(await storage.read(buffer, 31 * KIB)).toBe(100);
    expect(server.asked.slice(1)).toEqual([{ start: 16 * KIB, end: 32 * KIB }]);
    expect(storage.statistics).toEqual({
      requests: 2,
      retries: 0,
      bytes: 2 + 16 * KIB,
      cacheHits: 1,
      cacheMisses: 1,
      pinned: "etag",
    });
  });

  it("sends its headers with a Range that nobody can replace, and past the browser's cache", async () => {
    const inits: RequestInit[] = [];
    const fetch: Fetch = (url, init) => {
      inits.push(init);
      return rangeServer(() => content).fetch(url, init);
    };
    const storage = await HttpStorage.open(new URL(URL_), {
      fetch,
      headers: { Authorization: "Bearer x", Range: "y" },
    });
    await readSome(storage);
    for (const { headers, cache } of inits) {
      expect(new Headers(headers).get("authorization")).toBe("Bearer x");
      expect(new Headers(headers).get("range")).toMatch(/^bytes=0-\d+$/);
      expect(cache).toBe("no-store");
    }
  });

  it.each([100, 100 * KIB])(
    "takes the length of a buffer of %i bytes once, however its memory changes meanwhile",
    async (length) => {
      const storage = await openAt(rangeServer(() => content));
      const memory: ArrayBuffer = Reflect.construct(ArrayBuffer, [length, { maxByteLength: 2 * length }]);
      const buffer = new Uint8Array(memory); // it grows with its memory
      const reading = storage.read(buffer, 0);
      (memory as unknown as { resize(size: number): void }).resize(2 * length);
      expect(await reading).toBe(length);
      expect(Buffer.compare(buffer, Buffer.concat([content.subarray(0, length), new Uint8Array(length)]))).toBe(0);
      const gone = new Uint8Array(length);
      const late = Promise.resolve(storage.read(gone, 150 * KIB));
      structuredClone(gone, { transfer: [gone.buffer] });
      await expect(late).rejects.toThrow(TypeError);
    },
  );

  it("opens an empty file, whichever way a server says that it is", async () => {
    for (const spoil of [
      (answer: Answer) => answer,
      (answer: Answer) => ({ ...answer, status: 200, headers: { "content-length": "0" } }),
    ]) {
      const storage = await openAt(rangeServer(() => new Uint8Array(0), spoil));
      expect([storage.size(), storage.read(new Uint8Array(1), 0)]).toEqual([0, 0]);
    }
  });

  it.each([1, 2])("opens a file of %i bytes by the same two bytes", async (size) => {
    const server = rangeServer(() => content.slice(0, size));
    const storage = await openAt(server);
    expect([storage.size(), server.asked]).toEqual([size, [{ start: 0, end: 2 }]]);
    const buffer = new Uint8Array(3);
    expect(await storage.read(buffer, 0)).toBe(size);
    expect([...buffer.subarray(0, size)]).toEqual([...content.slice(0, size)]);
  });

  it("takes a unit of ranges in any case, as the standard has it", async () => {
    for (const unit of ["Bytes", "BYTES"]) {
      const spoil: Spoil = (answer) =>
        withHeaders(answer, { "content-range": answer.headers["content-range"].replace("bytes", unit) });
      const storage = await openAt(rangeServer(() => content, spoil));
      expect(await readSome(storage)).toBe(100);
      expect((await openAt(rangeServer(() => new Uint8Array(0), spoil))).size()).toBe(0);
    }
  });

  const refused: [string, Spoil, string, RegExp][] = [
    [
      "200 with everything",
      (answer) => ({ ...answer, status: 200 }),
      "BAD_RESPONSE",
      /expected 206 .* got 200 with the whole file\. The server must serve byte ranges/,
    ],
    [
      "no Content-Range",
      (answer) => without(answer, "content-range"),
      "BAD_RESPONSE",
      /Access-Control-Expose-Headers: Content-Range/,
    ],
    [
      "a Content-Range of nonsense",
      (answer) => withHeaders(answer, { "content-range": "bytes 0-99/*" }),
      "BAD_RESPONSE",
      /Content-Range/,
    ],
    [
      "other bytes than asked for",
      (answer) => withHeaders(answer, { "content-range": `bytes 1-${answer.body.length}/${content.length}` }),
      "BAD_RESPONSE",
      /cache/,
    ],
    [
      "a Content-Encoding",
      (answer) => withHeaders(answer, { "content-encoding": "gzip" }),
      "BAD_RESPONSE",
      /turn compression off/,
    ],
    [
      "a Content-Length that does not fit",
      (answer) => withHeaders(answer, { "content-length": "7" }),
      "BAD_RESPONSE",
      /expected a body of \d+ bytes/,
    ],
    [
      "a longer body",
      (answer) => ({ ...without(answer, "content-length"), body: new Uint8Array(answer.body.length + 1) }),
      "BAD_RESPONSE",
      /got more/,
    ],
    ["404", (answer) => ({ ...answer, status: 404 }), "NOT_FOUND", /got 404.*Check the URL/],
    ["410", (answer) => ({ ...answer, status: 410 }), "NOT_FOUND", /410/],
    ["401", (answer) => ({ ...answer, status: 401 }), "PERMISSION", /credentials/],
    ["403", (answer) => ({ ...answer, status: 403 }), "PERMISSION", /rights/],
    ["400", (answer) => ({ ...answer, status: 400 }), "IO", /got 400/],
  ];
  it.each(refused)("refuses %s at once, when it opens and later", async (_, spoil, code, message) => {
    const server = rangeServer(() => content, spoil);
    const error = await failureOf(openAt(server));
    expect([error.code, server.asked.length]).toEqual([code, 1]);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(URL_);
    const later = await openThenSpoil(spoil);
    expect((await failureOf(readSome(later.storage))).code).toBe(code);
    expect(later.server.asked.length).toBe(2);
  });

  const changes: [string, Spoil][] = [
    ["another ETag", (answer) => withHeaders(answer, { etag: '"other"' })],
    ["no ETag any more", (answer) => without(answer, "etag")],
    [
      "another length",
      (answer, { start, end }) => withHeaders(answer, { "content-range": `bytes ${start}-${end - 1}/400000` }),
    ],
    ["416", () => ({ status: 416, headers: { "content-range": "bytes */5" }, body: new Uint8Array(0) })],
    ["200 with another ETag", (answer) => withHeaders({ ...answer, status: 200 }, { etag: '"other"' })],
  ];
  it.each(changes)("says that the file has changed: %s", async (_, spoil) => {
    const { server, storage } = await openThenSpoil(spoil);
    const error = await failureOf(readSome(storage));
    expect([error.code, server.asked.length]).toEqual(["CHANGED", 2]);
    expect(error.message).toMatch(/guest\.hds has changed since it was opened: expected .*, got .*\. Open it again/);
  });

  it("goes by Last-Modified where there is no ETag", async () => {
    let date = "Mon, 01 Jan 2024 00:00:00 GMT";
    const server = rangeServer(
      () => content,
      (answer) => withHeaders(without(answer, "etag"), { "last-modified": date }),
    );
    const storage = await openAt(server);
    await readSome(storage);
    date = "Mon, 01 Jan 2024 00:00:01 GMT";
    expect((await failureOf(storage.read(new Uint8Array(1), 100 * KIB))).code).toBe("CHANGED");
  });

  it.each([408, 429, 500, 502, 503, 504])("tries again after %i, but not for ever", async (status) => {
    let failures = 3;
    const spoil: Spoil = (answer) => (failures-- > 0 ? { ...answer, status } : answer);
    const { storage } = await openThenSpoil(spoil, { retries: 3 });
    expect(await readSome(storage)).toBe(100);
    expect(storage.statistics).toMatchObject({ requests: 5, retries: 3 });
    failures = 4;
    const error = await failureOf(storage.read(new Uint8Array(1), 100 * KIB));
    expect(error.code).toBe("IO");
    expect(error.message).toMatch(/bytes 98304-114687 failed 4 times, the last time because the server answered/);
    expect(await storage.read(new Uint8Array(1), 100 * KIB)).toBe(1);
  });

  it("tries again after a network error, and names the cause when it gives up", async () => {
    const down: Spoil = () => {
      throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    };
    const { storage, server } = await openThenSpoil(down, { retries: 2 });
    const error = await failureOf(readSome(storage));
    expect(error.code).toBe("IO");
    expect(error.message).toMatch(/failed 3 times.*fetch failed: connect ECONNREFUSED.*Access-Control-Allow-Origin/);
    expect(server.asked.length).toBe(4);
  });

  it("asks for the rest alone when an answer of known length was cut", async () => {
    const server = rangeServer(() => content);
    let cut = false;
    const fetch: Fetch = async (url, init) => {
      const response = await server.fetch(url, init);
      if (server.asked.length !== 2) return response;
      cut = true;
      return new Response(broken(new Uint8Array(await response.arrayBuffer()), 5000), response);
    };
    const storage = await HttpStorage.open(URL_, { ...QUICK, fetch });
    expect(await readSome(storage)).toBe(100);
    expect(cut).toBe(true);
    expect(server.asked.slice(1)).toEqual([
      { start: 16 * KIB, end: 32 * KIB },
      { start: 16 * KIB + 5000, end: 32 * KIB },
    ]);
    const buffer = new Uint8Array(16 * KIB);
    expect(storage.read(buffer, 16 * KIB)).toBe(16 * KIB);
    expect(Buffer.compare(buffer, content.subarray(16 * KIB, 32 * KIB))).toBe(0);
  });

  it("gives up on a server that says nothing for too long", async () => {
    const { storage } = await openThenSpoil(() => new Promise(() => {}), { timeout: 5, retries: 1 });
    const error = await failureOf(readSome(storage));
    expect(error.message).toMatch(/failed 2 times, the last time because no byte came for 5 ms/);
  });

  it("keeps to its number of connections", async () => {
    let [now, most] = [0, 0];
    const spoil: Spoil = async (answer) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
      return answer;
    };
    const { storage } = await openThenSpoil(spoil, { connections: 2, cacheSize: 512 * KIB, readAhead: 0 });
    await Promise.all(Array.from({ length: 9 }, (_, index) => storage.read(new Uint8Array(1), index * 32 * KIB)));
    expect([most, storage.statistics.requests]).toEqual([2, 10]);
  });

  it.each(["a signal", "close"])("ends what is in flight, waiting and in line at once with %s", async (way) => {
    const controller = new AbortController();
    const spoil: Spoil = (answer, { start }) => (start === 0 ? { ...answer, status: 503 } : new Promise(() => {}));
    const { storage, server } = await openThenSpoil(spoil, {
      signal: controller.signal,
      retryDelay: 1e9,
      longestWait: 1e9,
      connections: 2,
    });
    const reads = [0, 64 * KIB, 128 * KIB].map((offset) => failureOf(storage.read(new Uint8Array(1), offset)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (way === "close") storage.close();
    else controller.abort(new Error("enough"));
    const code = way === "close" ? "CLOSED" : "ABORTED";
    for (const read of reads) expect((await read).code).toBe(code);
    expect(server.asked.length).toBe(3);
    if (way === "close") return;
    expect((await reads[0]).cause).toEqual(new Error("enough"));
    expect((await failureOf(readSome(storage))).code).toBe("ABORTED");
    expect(server.asked.length).toBe(3);
  });

  it("asks for nothing where the signal has ended already", async () => {
    const server = rangeServer(() => content);
    expect((await failureOf(openAt(server, { signal: AbortSignal.abort() }))).code).toBe("ABORTED");
    expect(server.asked).toEqual([]);
  });

  it("refuses what cannot work before it asks for anything", async () => {
    const server = rangeServer(() => content);
    for (const options of [
      { timeout: 0 },
      { connections: 0 },
      { retries: -1 },
      { retryDelay: Number.NaN },
      { blockSize: 3 },
    ])
      await expect(openAt(server, options)).rejects.toThrow(RangeError);
    await expect(openAt(server, { headers: { "no header": "x" } })).rejects.toThrow(TypeError);
    await expect(HttpStorage.open("not a URL", { fetch: server.fetch })).rejects.toThrow(TypeError);
    await expect(HttpStorage.open("https://me:secret@disk.test/", { fetch: server.fetch })).rejects.toThrow(TypeError);
    expect(server.asked).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    "answers with the right bytes or an error, whatever the server does (seed %i)",
    async (seed) => {
      const random = randomFrom(seed);
      let held = content;
      const server = rangeServer(
        () => held,
        (answer) => spoilAnything(answer, random),
      );
      const fetch: Fetch = async (url, init) => {
        const response = await server.fetch(url, init);
        if (random() > 0.1) return response;
        const bytes = new Uint8Array(await response.arrayBuffer());
        return new Response(broken(bytes, below(random, bytes.length + 1)), response);
      };
      let storage: HttpStorage | undefined;
      while (!storage) storage = await HttpStorage.open(URL_, { ...QUICK, fetch, retries: 1 }).catch(() => undefined);
      let [good, bad] = [0, 0];
      for (let step = 0; step < 600; step++) {
        if (step === 500) held = patternBytes(2, content.length);
        const offset = below(random, content.length);
        const buffer = new Uint8Array(Math.min(1 + below(random, 50 * KIB), content.length - offset));
        try {
          const moved = await storage.read(buffer, offset);
          good++;
          expect(
            Buffer.compare(buffer.subarray(0, moved), content.subarray(offset, offset + moved)),
            `step ${step}`,
          ).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DiskError);
          bad++;
        }
      }
      expect(good).toBeGreaterThan(100);
      expect(bad).toBeGreaterThan(10);
    },
  );
});

describe("Retry-After", () => {
  const wait = (text: string) => retryAfterOf(new Headers({ "retry-after": text }), Date.parse("2024-01-01T00:00:00Z"));

  it("is understood in seconds and as a date", () => {
    expect(wait("120")).toBe(120_000);
    expect(wait("Mon, 01 Jan 2024 00:01:00 GMT")).toBe(60_000);
    expect(wait("Sun, 31 Dec 2023 00:00:00 GMT")).toBe(0);
    expect([wait("soon"), retryAfterOf(new Headers(), 0)]).toEqual([undefined, undefined]);
  });

  it("lengthens the wait between tries, which doubles, up to the longest wait", () => {
    const settings = { retryDelay: 100, longestWait: 1000 };
    expect([1, 2, 3, 4, 5].map((tries) => waitBefore(tries, undefined, settings, 1))).toEqual([
      100, 200, 400, 800, 1000,
    ]);
    expect(waitBefore(1, undefined, settings, 0)).toBe(50);
    expect([waitBefore(1, 700, settings), waitBefore(1, 5000, settings)]).toEqual([700, 1000]);
  });
});

describe("A disk on HttpStorage", () => {
  it("is opened with the probe and one block, and read where it is needed", async () => {
    const memory = new MemoryStorage();
    const made = await Disk.create(memory, { size: 64 * 2 ** 20, clusterSize: 64 * KIB });
    await made.write(patternBytes(7, 200_000), 2 ** 20);
    await made.close();
    const server = rangeServer(() => memory.toUint8Array());
    const disk = await Disk.open(await openAt(server));
    expect([disk.readOnly, server.asked.length]).toEqual([true, 2]);
    const buffer = new Uint8Array(200_000);
    await disk.read(buffer, 2 ** 20);
    expect(Buffer.compare(buffer, patternBytes(7, 200_000))).toBe(0);
    await disk.close();
    await expect(disk.read(buffer, 0)).rejects.toThrow();
  });
});

/** A body that breaks off, as a lost connection does. */
function broken(bytes: Uint8Array<ArrayBuffer>, after: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return controller.error(new TypeError("terminated"));
      sent = true;
      if (after > 0) controller.enqueue(bytes.subarray(0, after));
    },
  });
}

/** Mostly nothing; at times one of the things that servers do. The bytes that come with a lie are wrong. */
function spoilAnything(answer: Answer, random: () => number): Answer {
  const wrong = { ...answer, body: new Uint8Array(answer.body.length).fill(0xee) };
  const choice = below(random, 60);
  if (choice === 0) return { ...wrong, status: 200 };
  if (choice === 1) return { ...wrong, status: 503 };
  if (choice === 2) return { ...wrong, status: 404 };
  if (choice === 3) return withHeaders(wrong, { etag: '"other"' });
  if (choice === 4) return withHeaders(wrong, { "content-range": "bytes 1-16384/307299" });
  if (choice === 5) return withHeaders(wrong, { "content-encoding": "br" });
  if (choice === 6) return without(wrong, "content-range");
  if (choice === 7)
    return { ...without(answer, "content-length"), body: answer.body.slice(below(random, answer.body.length)) };
  if (choice === 8) return { ...without(wrong, "content-length"), body: new Uint8Array(answer.body.length + 5) };
  if (choice === 9) throw new TypeError("fetch failed");
  if (choice < 20) return without(answer, "content-length");
  return answer;
}
