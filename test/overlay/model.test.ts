/** Commit and rebase against plain byte arrays: tops and bases of every kind and size, both faces, both engines. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstDifference } from "../support/bytes.js";
import { combinations, readRange } from "../support/faces.js";
import { below, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { BASE_KINDS, commitAny, contentOf, fitted, Overlays, rebaseAny } from "./world.js";

describe.each(combinations)("An overlay ($face face, $engine engine)", ({ face, engine }) => {
  test("is committed: the base alone reads as it did, and it holds nothing", async () => {
    const property = fc.asyncProperty(fc.nat(), fc.constantFrom(...BASE_KINDS), async (seed, kind) => {
      const world = new Overlays(face, engine, randomFrom(seed));
      const size = world.size();
      const grows = kind !== "joined";
      const { base, content } = await world.base(kind, grows ? world.size() : size + 512 * below(world.random, 20));
      const top = await world.disk(size, base);
      const model = fitted(content, size);
      await world.scribble(top, model, below(world.random, 12));
      const keep = world.random() < 0.3;
      const held = top.allocatedBytes;
      const told: number[] = [];
      await commitAny(face, top, { keep, onProgress: (done, total) => told.push(done, total) });
      expect(top.allocatedBytes).toBe(keep ? held : 0);
      expect(told.length > 0).toBe(held > 0);
      expect(firstDifference(await readRange(top), model)).toBe(-1);
      const expected = fitted(content, Math.max(size, content.length));
      expected.set(model);
      expect(firstDifference(await contentOf(base), expected)).toBe(-1);
      await world.scribble(top, model, 6); // it goes on as an overlay
      expect(firstDifference(await readRange(top), model)).toBe(-1);
      await top.close();
    });
    await fc.assert(property, runs(300, 60));
  });

  test("is rebased: it reads the same over the other base, or over none", async () => {
    const kinds = fc.constantFrom(undefined, ...BASE_KINDS);
    const property = fc.asyncProperty(fc.nat(), kinds, kinds, async (seed, kind, other) => {
      const world = new Overlays(face, engine, randomFrom(seed));
      const size = world.size();
      const from = kind && (await world.base(kind, world.size()));
      const to = other && (await world.base(other, world.size()));
      const top = await world.disk(size, from?.base);
      const model = fitted(from?.content ?? new Uint8Array(), size);
      await world.scribble(top, model, below(world.random, 8));
      await rebaseAny(face, top, to?.base);
      expect(firstDifference(await readRange(top), model)).toBe(-1);
      await world.scribble(top, model, 6);
      expect(firstDifference(await readRange(top), model)).toBe(-1);
      for (const beneath of [from, to])
        if (beneath !== undefined) expect(firstDifference(await contentOf(beneath.base), beneath.content)).toBe(-1);
      await top.close();
    });
    await fc.assert(property, runs(300, 60));
  });

  test("that is rebased over what reads the same holds no more than before", async () => {
    const world = new Overlays(face, engine, randomFrom(5));
    const from = await world.base("device", 40960);
    const top = await world.disk(40960, from.base);
    await world.scribble(top, fitted(from.content, 40960), 3);
    const held = top.allocatedBytes;
    const copy = await world.base("device", 40960);
    (copy.base as { write(bytes: Uint8Array, offset: number): void }).write(from.content, 0);
    await rebaseAny(face, top, copy.base);
    expect(top.allocatedBytes).toBe(held);
  });

  test("that is rebased unsafely shows the other base", async () => {
    const world = new Overlays(face, engine, randomFrom(6));
    const [from, to] = [await world.base("raw", 8192), await world.base("raw", 8192)];
    const top = await world.disk(8192, from.base);
    await rebaseAny(face, top, to.base, { unsafe: true });
    expect(top.allocatedBytes).toBe(0);
    expect(firstDifference(await readRange(top), to.content)).toBe(-1);
  });
});
