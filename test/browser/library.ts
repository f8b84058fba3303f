/** The library as a global, for code that tests run in a page or in a worker. */
import * as parablock from "../../src/index.js";

declare global {
  var library: typeof import("../../src/index.js");
}

globalThis.library = parablock;

// In a worker: the port that its page sends is kept for the test.
globalThis.addEventListener?.("message", ({ data, ports }: MessageEvent) => {
  if (data === "port") Object.assign(globalThis, { port: ports[0] });
});
