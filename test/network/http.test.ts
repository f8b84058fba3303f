/** HttpStorage against a real web server: each time the right error or the right bytes, never wrong ones. */
import { randomBytes } from "node:crypto";
import { renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskError } from "../../src/errors.js";
import { HttpStorage } from "../../src/storage/http.js";
import type { HttpOptions, HttpWarning } from "../../src/storage/http-options.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { describeWith, tool } from "../support/peers.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { type Crooked, head, startCrooked } from "./crooked.js";
import { freePort, Nginx } from "./nginx.js";

const KIB = 1024;
const SIZE = 700 * KIB + 123;
const content = patternBytes(1, SIZE);
const QUICK: HttpOptions = { blockSize: 64 * KIB, cacheSize: 512 * KIB, retryDelay: 1, longestWait: 20 };

const LOCATIONS = (upstream: string) => `
    location /whole/ { max_ranges 0; alias FILES/; }
    location /packed/ { gzip_static always; alias FILES/; }
    location /labelled/ { add_header Content-Encoding br; alias FILES/; }
    location /slow/ { limit_rate 512k; alias FILES/; }
    location /forbidden/ { return 403; }
    location /locked/ { auth_basic on; auth_basic_user_file none; }
    location /busy/ { add_header Retry-After 1 always; return 503; }
    location /plain/ { etag off; alias FILES/; }
    location /loop/ { return 302 /loop/again; }
    location /proxy/ { proxy_pass ${upstream}/; proxy_buffering off; proxy_http_version 1.1; }
`;

const failureOf = async (promise: unknown): Promise<DiskError> => {
  const error: unknown = await Promise.resolve(promise).catch((error) => error);
  expect(error).toBeInstanceOf(DiskError);
  return error as DiskError;
};

/** Reads everything, in pieces of any size and in parallel, and compares. */
async function expectContent(storage: HttpStorage, expected: Uint8Array, seed = 1): Promise<void> {
  const random = randomFrom(seed);
  const reader = async () => {
    for (let step = 0; step < 20; step++) {
      const offset = below(random, expected.length);
      await expectRange(storage, expected, offset, Math.min(1 + below(random, 150 * KIB), expected.length - offset));
    }
  };
  await Promise.all([reader(), reader(), reader()]);
}

async function expectRange(storage: HttpStorage, expected: Uint8Array, offset: number, length: number): Promise<void> {
  const buffer = new Uint8Array(length).fill(0xa5);
  expect(await storage.read(buffer, offset)).toBe(length);
  const equal = Buffer.compare(buffer, expected.subarray(offset, offset + length)) === 0;
  expect(equal, `${length} bytes at ${offset}`).toBe(true);
}

describeWith([tool("nginx")], "HttpStorage on nginx", () => {
  let nginx: Nginx;
  let upstream: Crooked;
  /** What the upstream behind the proxy does next. */
  let reply: Parameters<typeof startCrooked>[0] = (socket) => socket.destroy();
  const file = (name: string) => join(nginx.root, name);
  const open = (path: string, options: HttpOptions = {}) =>
    HttpStorage.open(`${nginx.url}/${path}`, { ...QUICK, ...options });

  beforeAll(async () => {
    upstream = await startCrooked((...request) => reply(...request));
    nginx = await Nginx.start(LOCATIONS(upstream.url));
    writeFileSync(file("disk.img"), content);
    writeFileSync(file("empty.img"), "");
    writeFileSync(file("disk.img.gz"), gzipSync(content));
  });

  afterAll(async () => {
    await nginx?.[Symbol.asyncDispose]();
    await upstream?.[Symbol.asyncDispose]();
  });

  it("reads any range, at once and in any order", async () => {
    const storage = await open("disk.img");
    expect(storage.size()).toBe(SIZE);
    await expectContent(storage, content);
    expect(storage.read(new Uint8Array(1), SIZE)).toBe(0);
  });

  it("fetches each byte once for a sequential scan, in few requests", async () => {
    const storage = await open("disk.img", { cacheSize: 4 * 2 ** 20 });
    for (let offset = 0; offset < SIZE; offset += 4 * KIB)
      await expectRange(storage, content, offset, Math.min(4 * KIB, SIZE - offset));
    expect(storage.statistics.bytes).toBe(2 + SIZE);
    expect(storage.statistics.requests).toBeLessThanOrEqual(8);
  });

  it("opens an empty file", async () => {
    expect((await open("empty.img")).size()).toBe(0);
  });

  it.each([
    [
      "gives no ranges",
      "whole/disk.img",
      "BAD_RESPONSE",
      /got 200 with the whole file\. The server must serve byte ranges/,
    ],
    ["packs the file", "packed/disk.img", "BAD_RESPONSE", /got Content-Encoding: gzip.*turn compression off/],
    ["labels the file as packed", "labelled/disk.img", "BAD_RESPONSE", /got Content-Encoding: br/],
    ["does not have the file", "missing.img", "NOT_FOUND", /got 404/],
    ["forbids it", "forbidden/disk.img", "PERMISSION", /got 403/],
    ["asks for a password", "locked/disk.img", "PERMISSION", /got 401.*credentials/],
  ])("says so at once where nginx %s", async (_, path, code, message) => {
    const error = await failureOf(open(path));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`${nginx.url}/${path}`);
  });

  it("warns where nginx gives no ETag, and a date that may stay while the file changes", async () => {
    const warnings: HttpWarning[] = [];
    const onwarning = (warning: HttpWarning) => warnings.push(warning);
    writeFileSync(file("fresh.img"), content);
    const fresh = new Date(Date.now() + 1000); // the answer comes within a second of it
    utimesSync(file("fresh.img"), fresh, fresh);
    expect((await open("plain/fresh.img", { onwarning })).statistics.pinned).toBe("nothing");
    expect(warnings.map(({ code, url }) => [code, url])).toEqual([["UNPINNED", `${nginx.url}/plain/fresh.img`]]);
    utimesSync(file("fresh.img"), 1_700_000_000, 1_700_000_000);
    expect((await open("plain/fresh.img", { onwarning })).statistics.pinned).toBe("last-modified");
    expect((await open("fresh.img", { onwarning })).statistics.pinned).toBe("etag");
    expect(warnings.length).toBe(1);
  });

  it("fetches whole what nginx packs or gives no ranges of, where that may be", async () => {
    const whole = await open("whole/disk.img", { wholeFile: true });
    await expectContent(whole, content);
    expect(whole.statistics).toMatchObject({ requests: 1, bytes: SIZE, pinned: "whole" });
    expect((await failureOf(open("packed/disk.img", { wholeFile: true }))).message).toMatch(
      /Content-Length for the file/,
    );
    const packed = await open("packed/disk.img", { wholeFile: true, expect: { length: SIZE } });
    await expectContent(packed, content);
  });

  it("gives up where nginx sends it in circles", async () => {
    const error = await failureOf(open("loop/disk.img", { retries: 1 }));
    expect(error.code).toBe("IO");
    expect(error.message).toMatch(/failed 2 times.*redirect/);
  });

  it("gives up on 503 after as many tries as it was told", async () => {
    const error = await failureOf(open("busy/disk.img", { retries: 2 }));
    expect(error.code).toBe("IO");
    expect(error.message).toMatch(/failed 3 times, the last time because the server answered 503/);
    expect(error.cause).toMatchObject({ retryAfter: 1000 });
  });

  it.each(["", "plain/"])("never mixes two contents when the file is replaced (%sdisk)", async (location) => {
    const replace = (bytes: Uint8Array, time: number) => {
      writeFileSync(file("next.img"), bytes);
      utimesSync(file("next.img"), time, time);
      renameSync(file("next.img"), file("replaced.img"));
    };
    replace(content, 1_700_000_000);
    const storage = await open(`${location}replaced.img`);
    await expectRange(storage, content, 0, 1000);
    replace(patternBytes(2, SIZE), 1_700_000_100);
    const error = await failureOf(storage.read(new Uint8Array(10), 300 * KIB));
    expect(error.code).toBe("CHANGED");
    expect(error.message).toMatch(location === "" ? /expected ETag ".*", got ".*"/ : /expected Last-Modified .*, got/);
    await expectRange(storage, content, 500, 500);
    replace(patternBytes(2, 1000), 1_700_000_200);
    expect((await failureOf(storage.read(new Uint8Array(10), 600 * KIB))).code).toBe("CHANGED");
    rmSync(file("replaced.img"));
    expect((await failureOf(storage.read(new Uint8Array(10), 300 * KIB))).code).toBe("NOT_FOUND");
    await expectContent(
      await reopened(() => replace(patternBytes(2, SIZE), 1_700_000_300), location),
      patternBytes(2, SIZE),
    );
  });

  const reopened = (prepare: () => void, location: string) => {
    prepare();
    return open(`${location}replaced.img`);
  };

  it("reads over a slow link without taking it for a dead one", async () => {
    const storage = await open("slow/disk.img", { timeout: 3000, retries: 0 });
    await expectRange(storage, content, 0, 400 * KIB);
    expect(storage.statistics.retries).toBe(0);
  });

  it("can be aborted in the midst of a slow answer", async () => {
    const controller = new AbortController();
    const storage = await open("slow/disk.img", { signal: controller.signal, retries: 0 });
    const reading = failureOf(storage.read(new Uint8Array(SIZE), 0));
    while (storage.statistics.bytes < 10 * KIB) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    expect((await reading).code).toBe("ABORTED");
    const { requests } = storage.statistics;
    expect((await failureOf(storage.read(new Uint8Array(1), SIZE - 1))).code).toBe("ABORTED");
    expect(storage.statistics.requests).toBe(requests);
  });

  it("outlasts a restart of the server", async () => {
    const storage = await open("disk.img", { retries: 50, longestWait: 50 });
    await expectRange(storage, content, 0, 1000);
    await nginx.stop();
    const reading = expectContent(storage, content, 2);
    while (storage.statistics.retries < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await nginx.resume();
    await reading;
  });

  it("says so where nobody answers", async () => {
    const url = `http://127.0.0.1:${await freePort()}/disk.img`;
    const error = await failureOf(HttpStorage.open(url, { ...QUICK, retries: 1 }));
    expect(error.code).toBe("IO");
    expect(error.message).toMatch(/failed 2 times.*ECONNREFUSED/);
  });

  it("reads on where an upstream cuts each answer in the middle", async () => {
    reply = (socket, start, last) => {
      socket.write(head(start, last, SIZE));
      socket.end(content.subarray(start, start + Math.ceil((last + 1 - start) / 2)));
    };
    const storage = await open("proxy/disk.img", { retries: 40 });
    await expectRange(storage, content, 100, 200 * KIB);
    expect(storage.statistics.retries).toBeGreaterThan(5);
    expect(storage.statistics.bytes).toBe(2 + 256 * KIB);
  });

  it("is carried through failures of an upstream by its tries", async () => {
    reply = (socket, start, last, number) => {
      if (number % 3 === 0)
        socket.end("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      else if (number % 3 === 1) socket.destroy();
      else {
        socket.write(head(start, last, SIZE));
        socket.end(content.subarray(start, last + 1));
      }
    };
    const storage = await open("proxy/disk.img", { retries: 30 });
    await expectContent(storage, content, 3);
    expect(storage.statistics.retries).toBeGreaterThan(0);
  });

  it("is the base of a disk that keeps its changes elsewhere", async () => {
    const memory = new MemoryStorage();
    const storage = await open("disk.img");
    const options = { size: 1024 * KIB, clusterSize: 16 * KIB, base: storage };
    const disk = await Disk.create(memory, options);
    // Its length, and its first block: the base is asked before anything is touched.
    expect(storage.statistics.requests).toBe(2);
    const expected = new Uint8Array(1024 * KIB);
    expected.set(content);
    for (const [tag, offset] of [100, 300_001, SIZE - 50, 900_000].entries()) {
      await disk.write(patternBytes(tag, 5000), offset);
      expected.set(patternBytes(tag, 5000), offset);
    }
    await disk.close();
    await storage.close();
    const base = await open("disk.img");
    const again = await Disk.open(new MemoryStorage(memory.toUint8Array()), { base });
    expect(base.statistics.requests).toBe(1);
    const buffer = new Uint8Array(again.size);
    await again.read(buffer, 0);
    expect(Buffer.compare(buffer, expected)).toBe(0);
    await again.close();
    expect(base.size()).toBe(SIZE);
  });

  it("reads a Parallels image, and a disk over it, by what it needs", async () => {
    const memory = new MemoryStorage();
    const made = await Disk.create(memory, { size: 256 * 2 ** 20, clusterSize: 64 * KIB });
    const bytes = randomBytes(500_000);
    await made.write(bytes, 10_000_000);
    await made.close();
    writeFileSync(file("base.hds"), memory.toUint8Array());
    const storage = await open("base.hds");
    const base = await Disk.open(storage);
    // The BAT of 4096 entries lies in the first block.
    expect(storage.statistics).toMatchObject({ requests: 2, bytes: 2 + 64 * KIB });
    const overlay = await Disk.create(new MemoryStorage(), { size: base.size, clusterSize: 4 * KIB, base });
    expect(storage.statistics.requests).toBe(2);
    await overlay.write(new Uint8Array(1000).fill(5), 10_100_000);
    const buffer = new Uint8Array(500_000);
    await overlay.read(buffer, 10_000_000);
    expect(Buffer.compare(buffer, Buffer.from(bytes).fill(5, 100_000, 101_000))).toBe(0);
    expect(storage.statistics.bytes).toBeLessThan(700_000);
    await overlay.close();
    await base.close();
  });
});

describe("HttpStorage on a server that lies", () => {
  const lies: [string, Parameters<typeof startCrooked>[0], string][] = [
    [
      "shifts bytes",
      (socket, start, last) => void socket.end(`${head(start + 1, last + 1, SIZE)}${"x".repeat(last - start + 1)}`),
      "BAD_RESPONSE",
    ],
    ["sends less than it says", (socket, start, last) => void socket.end(head(start, last, SIZE)), "IO"],
    [
      "sends more than it says",
      (socket, start, last) => void socket.end(`${head(start, last, SIZE, "")}${"x".repeat(last - start + 50)}`),
      "BAD_RESPONSE",
    ],
    [
      "ends without a length too early",
      (socket, start, last) => void socket.end(`${head(start, last, SIZE, "")}${"x".repeat(last - start)}`),
      "IO",
    ],
    [
      "cuts a chunked answer",
      (socket, start, last) =>
        void socket.end(`${head(start, last, SIZE, "Transfer-Encoding: chunked\r\n")}1\r\nx\r\n`),
      "IO",
    ],
    [
      "sends headers without end",
      (socket, start, last) =>
        void socket.end(head(start, last, SIZE, `${"X-Filler: 0123456789\r\n".repeat(50_000)}Content-Length: 1\r\n`)),
      "IO",
    ],
    ["speaks no HTTP", (socket) => void socket.end("what?"), "IO"],
    ["hangs up", (socket) => void socket.resetAndDestroy(), "IO"],
    ["says nothing", () => {}, "IO"],
    ["stops in the midst", (socket, start, last) => void socket.write(`${head(start, last, SIZE)}xxx`), "IO"],
  ];
  it.each(lies)("fails where it %s", async (_, lie, code) => {
    await using server = await startCrooked((socket, start, last, number) => {
      if (number > 0) return lie(socket, start, last, number);
      socket.end(Buffer.concat([Buffer.from(head(start, last, SIZE)), content.subarray(start, last + 1)]));
    });
    const storage = await HttpStorage.open(`${server.url}/disk.img`, { ...QUICK, retries: 1, timeout: 100 });
    expect((await failureOf(storage.read(new Uint8Array(100), 70_000))).code).toBe(code);
    expect(server.count).toBe(code === "IO" ? 3 : 2);
    storage.close();
  });
});
