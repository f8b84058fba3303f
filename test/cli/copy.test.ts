import { describe, expect, it } from "vitest";
import { copy, type Piece } from "../../src/cli/copy.js";
import type { Target } from "../../src/cli/target.js";

const SILENT = { update() {}, stop() {} };
const fill = (_: Piece, buffer: Uint8Array) => void buffer.fill(1);

/** A target that is full from `limit` on. */
const targetOf = (limit: number, written: number[] = []): Target => ({
  grain: 512,
  async write(_, offset) {
    if (offset >= limit) throw new Error("full");
    written.push(offset);
  },
  async finish() {},
  async abandon() {},
});

describe("copy", () => {
  it("does not wait for a piece that may never come once a write failed, and tells that error", async () => {
    let stop = () => {};
    async function* slow(): AsyncGenerator<Piece> {
      yield { offset: 0, length: 512 };
      await new Promise((_, reject) => {
        stop = () => reject(new Error("given up"));
      });
    }
    await expect(copy(slow(), fill, targetOf(0), SILENT, () => stop())).rejects.toThrow("full");
  });

  it("writes nothing behind what failed", async () => {
    async function* many(): AsyncGenerator<Piece> {
      for (let offset = 0; offset < 2 ** 20; offset += 512) yield { offset, length: 512 };
    }
    const written: number[] = [];
    await expect(copy(many(), fill, targetOf(5 * 512, written), SILENT)).rejects.toThrow("full");
    expect(written).toEqual([0, 512, 1024, 1536, 2048]);
  });

  it("tells the error of a source", async () => {
    async function* broken(): AsyncGenerator<Piece> {
      yield { offset: 0, length: 512 };
      throw new Error("unreadable");
    }
    await expect(copy(broken(), fill, targetOf(4096), SILENT)).rejects.toThrow("unreadable");
  });
});
