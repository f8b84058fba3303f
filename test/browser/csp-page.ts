/** A page under a Content-Security-Policy: what engine disks have there, in the page and in its worker, and whether they work. */
import { connectDisk, Disk, MemoryStorage } from "../../src/index.js";

async function report() {
  const here = await Disk.create(new MemoryStorage(), { size: 2 ** 20, clusterSize: 4096 });
  const there = await connectDisk(new Worker("/disk-worker.js", { type: "module" }));
  const got = new Uint8Array(5);
  for (const disk of [here, there]) {
    await disk.write(new Uint8Array([1, 2, 3, 4, 5]), 4094);
    await disk.read(got, 4094);
  }
  const { engine, engineFallback } = await there.info;
  const insisting = await Disk.create(new MemoryStorage(), { size: 512, engine: "wasm" }).then(
    () => "open",
    (error: Error) => (error.cause as Error | undefined)?.name,
  );
  return { got: [...got], here: here.info, there: { engine, engineFallback }, insisting, crossOriginIsolated };
}

declare global {
  var reported: ReturnType<typeof report>;
}

globalThis.reported = report();
