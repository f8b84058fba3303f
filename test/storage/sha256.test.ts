import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Sha256 } from "../../src/storage/sha256.js";
import { runs } from "../support/runs.js";

const oracle = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

it("Sha256 is SHA-256, whatever the length and in whatever pieces it comes", () => {
  const anything = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });
  fc.assert(
    fc.property(anything, (pieces) => {
      const sha256 = new Sha256();
      for (const piece of pieces) sha256.update(piece);
      expect(sha256.digest()).toBe(oracle(Buffer.concat(pieces)));
    }),
    runs(500),
  );
  for (let length = 0; length <= 130; length++) {
    const sha256 = new Sha256();
    sha256.update(new Uint8Array(length).fill(length));
    expect(sha256.digest(), `${length} bytes`).toBe(oracle(new Uint8Array(length).fill(length)));
  }
});
