import fc from "fast-check";
import { describe, it } from "vitest";
import type { Format } from "../../src/format/header.js";
import { withExtension } from "../support/extension.js";
import { combinations } from "../support/faces.js";
import { makeImage } from "../support/image.js";
import { runs } from "../support/runs.js";
import { examine, writeTo } from "./suspect.js";

/** Valid images with any BAT: holes, any order, clusters that nothing uses. */
const images = fc
  .record({
    format: fc.constantFrom<Format>("v1", "v2"),
    tracks: fc.constantFrom(1, 1, 8, 63),
    count: fc.integer({ min: 0, max: 30 }),
    order: fc.infiniteStream(fc.nat()),
    extended: fc.boolean(),
  })
  .map(({ format, tracks, count, order, extended }) => {
    const free = Array.from({ length: count + 3 }, (_, host) => host);
    const hosts: number[] = [];
    for (let guest = 0; guest < count; guest++) {
      const pick = order.next().value;
      hosts.push(pick % 3 === 0 ? -1 : free.splice(pick % free.length, 1)[0]);
    }
    const image = makeImage({ format, tracks, hosts });
    return extended ? withExtension(image, count % 2 === 0 ? [] : [{}]) : image;
  });

interface Mutation {
  kind: "byte" | "word" | "entry" | "cut" | "extend" | "copy";
  at: number;
  from: number;
  value: number;
}

const words = fc.oneof(
  fc.nat(40),
  fc.nat(0xffffffff),
  fc.constantFrom(0, 1, 0x746f6e59, 0x7fffffff, 0x80000000, 0xffffffff),
);

const mutations: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("byte", "word", "entry", "cut", "extend", "copy"),
  at: fc.nat(255),
  from: fc.nat(255),
  value: words,
});

/** Changes a file at a place that matters: its header, its BAT, its length. */
function mutate(file: Uint8Array, { kind, at, from, value }: Mutation): Uint8Array {
  if (kind === "cut") return file.slice(0, file.length - (at % (file.length + 1)));
  if (kind === "extend") {
    const longer = new Uint8Array(file.length + at);
    longer.set(file);
    return longer.fill(value, file.length);
  }
  const changed = file.slice();
  const view = new DataView(changed.buffer);
  if (kind === "byte" && at < changed.length) changed[at] = value;
  if (kind === "word" && at % 64 <= changed.length - 4) view.setUint32((at % 16) * 4, value, true);
  if (kind === "entry" && 68 + at * 4 <= changed.length) view.setUint32(64 + (at % 32) * 4, value, true);
  if (kind === "copy" && 64 + (at % 32) * 4 <= changed.length) {
    changed.copyWithin(64 + (at % 32) * 4, 64 + (from % 32) * 4, 68 + (from % 32) * 4);
  }
  return changed;
}

describe.each(combinations)("Files that are almost images ($face face, $engine engine)", ({ face, engine }) => {
  it("open or are named errors, never show wrong bytes, and are not made worse by writing", async () => {
    const property = fc.asyncProperty(images, fc.array(mutations, { maxLength: 4 }), async (image, changes) => {
      const file = changes.reduce<Uint8Array>(mutate, image);
      await examine(file, face, engine);
      await writeTo(file, face, engine);
    });
    await fc.assert(property, runs(500, 200));
  });

  it("or not at all: random bytes behind a magic number", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom("WithoutFreeSpace", "WithouFreSpacExt"),
      fc.array(words, { maxLength: 40, size: "max" }),
      fc.uint8Array({ maxLength: 2000 }),
      async (magic, fields, rest) => {
        const head = new Uint8Array(new Uint32Array([2, 16, 1, ...fields]).buffer);
        const file = new Uint8Array([...new TextEncoder().encode(magic), ...head, ...rest]);
        await examine(file, face, engine);
        await writeTo(file, face, engine);
      },
    );
    await fc.assert(property, runs(300, 100));
  });
});
