/** A web server that claims a file without end, and a BAT of any size: what it costs is what came, and the cache. */
import { describe, expect, it } from "vitest";
import { bundleLibrary, runChild } from "../support/child.js";
import { temporaryFolder } from "../support/folder.js";

const file = temporaryFolder();
const MIB = 2 ** 20;

const SERVER = `
  const header = Buffer.alloc(64);
  header.write("WithouFreSpacExt");
  [2, 16, 1, 2048, entries].forEach((value, at) => header.writeUInt32LE(value, 16 + 4 * at));
  header.writeBigUInt64LE(2n ** 40n, 36);
  header.writeUInt32LE(2048 * 2049, 48);
  const fetch = async (_, { headers }) => {
    const [first, last] = /(\\d+)-(\\d+)/.exec(headers.range).slice(1).map(Number);
    let at = first;
    const pull = async (controller) => {
      if (at >= delivered) await new Promise(() => {});
      const bytes = new Uint8Array(Math.min(65536, last + 1 - at));
      if (at === 0) bytes.set(header.subarray(0, bytes.length));
      at += bytes.length;
      controller.enqueue(bytes);
      if (at > last) controller.close();
    };
    const range = { "content-range": \`bytes \${first}-\${last}/\${2 ** 50}\`, etag: '"x"' };
    return new Response(new ReadableStream({ pull }), { status: 206, headers: range });
  };`;

/** Opens the image in a process of its own; answers how it ended, and by how many bytes the process grew. */
function open(bundle: string, engine: string, entries: number, delivered: number): { end: string; grown: number } {
  return runChild(
    bundle,
    `const entries = ${entries}, delivered = ${delivered};
    ${SERVER}
    library.createZeroScanner("${engine}", 64); // what any disk needs is there
    gc();
    const before = process.memoryUsage().rss;
    const storage = await library.HttpStorage.open("http://liar.test/", { fetch, retries: 0, timeout: 500 });
    const end = await library.Disk.open(storage, { readOnly: true, engine: "${engine}" }).then(() => "open", ({ code }) => code);
    console.log(JSON.stringify({ end, grown: process.resourceUsage().maxRSS * 1024 - before }));
    process.exit();`,
    ["--expose-gc"],
  ) as { end: string; grown: number };
}

describe.each(["wasm", "js"])("A server that lies, with the %s engine", (engine) => {
  const bundle = bundleLibrary(file(`${engine}.mjs`));

  it("costs next to nothing where it claims a BAT of 2 GiB and sends none of it", () => {
    const { end, grown } = open(bundle, engine, 2 ** 29 - 1, 128 * 1024);
    expect(end).toBe("IO");
    expect(grown).toBeLessThan(64 * MIB);
  });

  it("costs no more than its cache and a few pieces where it sends 768 MiB of zeros for a BAT", () => {
    const { end, grown } = open(bundle, engine, 192 * MIB, Number.MAX_SAFE_INTEGER);
    expect(end).toBe("open");
    expect(grown).toBeLessThan(320 * MIB);
  });
});
