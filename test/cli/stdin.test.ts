/** What standard input holds does not depend on the pieces in which it comes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readStreamPiece, streamPieces } from "../../src/cli/stdin.js";
import { FOREIGN_BYTES } from "../format/foreign-bytes.js";
import { runs } from "../support/runs.js";

/** A stream that brings `content` in pieces of these lengths, the rest at last. */
async function* inPieces(content: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const length of [...lengths, content.length]) {
    if (at >= content.length) return;
    yield content.slice(at, at + length);
    at += length;
  }
}

/** Everything that arrives. @throws Failure */
async function arrived(content: Uint8Array, lengths: readonly number[], anything = false): Promise<Uint8Array> {
  const end = { size: 0 };
  const pieces: Uint8Array[] = [];
  for await (const piece of streamPieces(inPieces(content, lengths), end, { anything })) {
    const bytes = new Uint8Array(piece.length);
    readStreamPiece(piece, bytes);
    pieces.push(bytes);
  }
  expect(end.size).toBe(content.length);
  return Buffer.concat(pieces);
}

const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 3000 })), {
  maxLength: 12,
});

const KNOWN = [
  ...FOREIGN_BYTES,
  { name: "holds a Parallels image", at: 0, bytes: "WithoutFreeSpace" },
  { name: "holds a Parallels image", at: 0, bytes: "WithouFreSpacExt" },
];

describe("standard input", () => {
  it.each(KNOWN)("is refused in whatever pieces it comes: $name", async ({ name, at, bytes }) => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1024, max: 8192 }), async (cut, size) => {
        const content = Buffer.alloc(size);
        content.write(bytes, at < 0 ? size + at : at, "latin1");
        await expect(arrived(content, cut)).rejects.toThrow(name);
        expect(Buffer.compare(await arrived(content, cut, true), content)).toBe(0);
      }),
      runs(20),
    );
  });

  it("is refused where all of it is a few bytes", async () => {
    const pointer = Buffer.from("version https://git-lfs.github.com/spec/v1\n");
    await expect(arrived(pointer, [8])).rejects.toThrow("a Git LFS pointer");
    await expect(arrived(Buffer.from("WithoutFreeSpace"), [1, 1, 1])).rejects.toThrow("holds a Parallels image");
  });

  it("is taken in whatever pieces it comes where it is a raw disk", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 8192 }), lengths, async (random, cut) => {
        const content = Buffer.concat([Buffer.from("\x5a"), random]);
        expect(Buffer.compare(await arrived(content, cut), content)).toBe(0);
      }),
      runs(100),
    );
  });

  it("is refused before more of it is waited for", async () => {
    async function* endless() {
      yield Buffer.from("QFI\xfb", "latin1");
      for (;;) yield new Uint8Array(65536);
    }
    await expect(streamPieces(endless(), { size: 0 }).next()).rejects.toThrow("a qcow2 image");
  });
});
