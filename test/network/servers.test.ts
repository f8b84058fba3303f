/** HttpStorage on the servers that people have at hand, as they come. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HttpStorage } from "../../src/storage/http.js";
import { HttpRanges } from "../../src/storage/http-ranges.js";
import { describeWith } from "../support/peers.js";
import { patternBytes } from "../support/random.js";
import { busybox, type FileServer, nginx, python, viteDev, vitePreview } from "./servers.js";

const SIZES = [0, 1, 2, 3, 300_001];
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

    it("reads the first byte, or any other, alone", async () => {
      for (const size of SIZES.slice(1)) {
        const { fetch } = globalThis;
        const settings = { fetch, headers: {}, timeout: 30_000, retries: 0, retryDelay: 0, longestWait: 0 };
        const ranges = new HttpRanges(`${server.url}/${fileName(size)}`, { ...settings, connections: 6 });
        await ranges.probe();
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
  it("says that the server gives no ranges", async () => {
    await using server = await python.start();
    fill(server.root);
    const opening = HttpStorage.open(`${server.url}/${fileName(300_001)}`);
    await expect(opening).rejects.toMatchObject({ code: "BAD_RESPONSE" });
    await expect(opening).rejects.toThrow(/got 200 with the whole file/);
  });
});
