/** HttpStorage on the servers that people have at hand, as they come. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HttpStorage } from "../../src/storage/http.js";
import { type HttpWarning, httpSettings } from "../../src/storage/http-options.js";
import { HttpRanges } from "../../src/storage/http-ranges.js";
import { HttpRequests } from "../../src/storage/http-requests.js";
import { describeWith } from "../support/peers.js";
import { patternBytes } from "../support/random.js";
import { busybox, type FileServer, nginx, python, viteDev, vitePreview } from "./servers.js";

const SIZES = [0, 1, 2, 3, 300_001];
/** Nothing is expected, and no whole file. */
const NOTHING = httpSettings({}).whole;
const content = (size: number) => patternBytes(size, size);
const fileName = (size: number) => `${size}.img`;

function fill(root: string): void {
  for (const size of SIZES) writeFileSync(join(root, fileName(size)), content(size));
}

async function readAll(storage: HttpStorage): Promise<Uint8Array> {
  const bytes = new Uint8Array(storage.size());
  for (let done = 0; done < bytes.length; ) done += await storage.read(bytes.subarray(done), done);
  return bytes;
}

for (const kind of [nginx, busybox, vitePreview, viteDev]) {
  describeWith(kind.needs, `HttpStorage on ${kind.name}`, () => {
    let server: FileServer;
    beforeAll(async () => {
      server = await kind.start();
      fill(server.root);
    });
    afterAll(() => server?.[Symbol.asyncDispose]());

    it.each(SIZES)("reads a file of %i bytes, by ranges alone", async (size) => {
      const storage = await HttpStorage.open(`${server.url}/${fileName(size)}`, { blockSize: 4096, retries: 0 });
      expect(storage.size()).toBe(size);
      expect(storage.statistics.bytes).toBe(Math.min(size, 2));
      expect(Buffer.compare(await readAll(storage), content(size))).toBe(0);
      expect(storage.statistics.bytes).toBe(Math.min(size, 2) + size);
    });

    it("says what holds the answers together", async () => {
      const warnings: string[] = [];
      const onwarning = ({ code }: HttpWarning) => warnings.push(code);
      const storage = await HttpStorage.open(`${server.url}/${fileName(3)}`, { onwarning });
      expect([storage.statistics.pinned, warnings]).toEqual([kind.pinned, []]);
    });

    it("knows a file by its SHA-256, and refuses another", async () => {
      const sha256 = createHash("sha256").update(content(300_001)).digest("hex");
      const storage = await HttpStorage.open(`${server.url}/${fileName(300_001)}`, { expect: { sha256 } });
      expect(storage.statistics.pinned).toBe("digest");
      expect(Buffer.compare(await readAll(storage), content(300_001))).toBe(0);
      const other = HttpStorage.open(`${server.url}/${fileName(3)}`, { expect: { sha256 } });
      await expect(other).rejects.toMatchObject({ code: "CHANGED" });
    });

    it("reads the first byte, or any other, alone", async () => {
      for (const size of SIZES.slice(1)) {
        const { fetch } = globalThis;
        const settings = { fetch, headers: {}, timeout: 30_000, retries: 0, retryDelay: 0, longestWait: 0 };
        const requests = new HttpRequests(`${server.url}/${fileName(size)}`, { ...settings, connections: 6 });
        const ranges = new HttpRanges(requests, NOTHING.expected);
        await ranges.probe(NOTHING);
        for (const offset of [0, size - 1]) {
          const byte = new Uint8Array(1);
          const filled: number[] = [];
          await ranges.fill([byte], offset, (index) => filled.push(index));
          expect([byte[0], filled]).toEqual([content(size)[offset], [0]]);
        }
      }
    });
  });
}

describeWith(python.needs, `HttpStorage on ${python.name}`, () => {
  it("says that the server gives no ranges, or fetches the whole file where it may", async () => {
    await using server = await python.start();
    fill(server.root);
    for (const size of SIZES) {
      const url = `${server.url}/${fileName(size)}`;
      if (size > 0) await expect(HttpStorage.open(url)).rejects.toThrow(/got 200 with the whole file.* wholeFile/);
      const storage = await HttpStorage.open(url, { wholeFile: true });
      expect([storage.statistics.pinned, storage.statistics.bytes]).toEqual([python.pinned, size]);
      expect(Buffer.compare(await readAll(storage), content(size))).toBe(0);
      expect(storage.statistics.requests).toBe(1);
    }
    const small = HttpStorage.open(`${server.url}/${fileName(300_001)}`, { wholeFile: 300_000 });
    await expect(small).rejects.toMatchObject({ code: "TOO_LARGE" });
  });
});
