/** A worker of the page that measures: serves a disk in OPFS, or answers bare requests from a file like that disk's. */
import { DiskSync } from "../src/disk-sync.js";
import { serveDisk } from "../src/worker/serve.js";
import type { BareRequest } from "./connect-page.js";
import { openImage } from "./opfs-image.js";

/** A worker's global scope; TypeScript knows it in workers only. */
interface Scope extends EventTarget {
  name: string;
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const image = openImage(`${scope.name}.hds`, 2 ** 26);

if (scope.name === "disk") {
  serveDisk(
    scope as never,
    image.then(({ storage }) => DiskSync.open(storage)),
  );
} else {
  const { handle } = await image;
  scope.addEventListener("message", (event) => {
    const request = (event as MessageEvent<BareRequest>).data;
    if ("bytes" in request) {
      scope.postMessage(handle.write(request.bytes, { at: request.offset }));
    } else {
      const bytes = new Uint8Array(request.length);
      handle.read(bytes, { at: request.offset });
      scope.postMessage(bytes, [bytes.buffer]);
    }
  });
  scope.postMessage("ready");
}
