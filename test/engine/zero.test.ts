import { describe, expect, it } from "vitest";
import { createZeroScanner } from "../../src/engine/create.js";

describe.each(["wasm", "js"] as const)("zero test in %s", (kind) => {
  it("finds any single byte at any alignment and length", () => {
    const scanner = createZeroScanner(kind, 400);
    for (let offset = 0; offset < 20; offset++) {
      for (const length of [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 63, 64, 65, 127, 128, 200, 257, 380]) {
        scanner.buffer.fill(0xff);
        scanner.buffer.fill(0, offset, offset + length);
        expect(scanner.isZero(offset, length)).toBe(true);
        for (let at = offset; at < offset + length; at++) {
          scanner.buffer[at] = 1 << (at & 7);
          if (scanner.isZero(offset, length)) expect.fail(`byte ${at} of ${offset}+${length} was not seen`);
          scanner.buffer[at] = 0;
        }
      }
    }
  });

  it("finds nothing in nothing", () => {
    const scanner = createZeroScanner(kind, 8);
    scanner.buffer.fill(1);
    expect([scanner.isZero(0, 0), scanner.isZero(3, 0), scanner.isZero(8, 0)]).toEqual([true, true, true]);
  });

  it("has a buffer of exactly the size asked for", () => {
    expect(createZeroScanner(kind, 0).buffer.length).toBe(0);
    expect(createZeroScanner(kind, 4097).buffer.length).toBe(4097);
    expect(createZeroScanner(kind, 2 ** 20 + 3).kind).toBe(kind);
  });

  it("sees the last bytes of a large buffer", () => {
    const scanner = createZeroScanner(kind, 2 ** 20 + 3);
    expect(scanner.isZero(0, 2 ** 20 + 3)).toBe(true);
    scanner.buffer[2 ** 20 + 2] = 1;
    expect(scanner.isZero(0, 2 ** 20 + 3)).toBe(false);
    expect(scanner.isZero(0, 2 ** 20 + 2)).toBe(true);
  });
});
