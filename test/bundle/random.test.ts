/**
 * Random descriptors: what is written is read; what we do not know survives every change; histories of the verbs against a
 * plain model; and whatever bytes come, they are understood or refused, soon.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Descriptor, parseDescriptor } from "../../src/bundle/descriptor.js";
import { encodeText } from "../../src/bundle/encoding.js";
import type { Guid } from "../../src/bundle/guid.js";
import { switchedTo, withoutSnapshot, withSnapshot } from "../../src/bundle/plans.js";
import { DiskError } from "../../src/errors.js";
import { runs } from "../support/runs.js";
import { type Meaning, meaningOf } from "./meaning.js";
import { guid, NONE, TOP, type Written, write } from "./written.js";

/** A tree of snapshots, each on one before it or on nothing; the last is the top. */
const written: fc.Arbitrary<Written> = fc
  .record({
    parents: fc.array(fc.nat(), { minLength: 1, maxLength: 7 }),
    lengths: fc.array(fc.integer({ min: 1, max: 2 ** 32 }), { minLength: 1, maxLength: 4 }),
    named: fc.boolean(),
    root: fc.constantFrom("Parallels_disk_image", "Virtuozzo_disk_image"),
    plain: fc.boolean(),
    blocksize: fc.integer({ min: 1, max: 4186127 }),
  })
  .map(({ parents, lengths, named, root, plain, blocksize }) => {
    const last = parents.length - 1;
    const guids = parents.map((_, index) => (index === last && !named ? TOP : guid(index + 1)));
    const shots = parents.map((parent, index) => ({
      guid: guids[index],
      parent: guids[(parent % (index + 1)) - 1] ?? NONE,
    }));
    let at = 0;
    const storages = lengths.map((length, number) => {
      const images = shots.map((shot) => ({
        guid: shot.guid,
        type: plain && shot.parent === NONE ? "Plain" : "Compressed",
        file: `disk.hdd.${number}.${shot.guid}.hds`,
      }));
      at += length;
      return { start: at - length, end: at, blocksize, images };
    });
    return {
      root,
      size: at,
      parameters: "<Padding>0</Padding>",
      storages,
      top: named ? guids[last] : undefined,
      shots,
    };
  });

/** What others may put between the elements that we know. */
const foreign = fc.array(
  fc.record({
    /** Behind which "<", counted. */
    at: fc.nat(),
    what: fc.constantFrom(
      ...[
        "<Unknown/>",
        "<Unknown a='1' b=\"&lt;&#9;\">text &amp; <Deeper>more</Deeper></Unknown>",
        "<!-- a <Shot> -->",
      ],
      ...[
        "\r\n\t",
        "<x:Unknown xmlns:x='urn:x'><![CDATA[<Image>]]></x:Unknown>",
        "<?app do?>",
        "<Name2>\u{1f4be}</Name2>",
      ],
    ),
  }),
  { maxLength: 12 },
);

/** Puts them in, where an element begins or its parent ends, and not outside the root. */
function adorned(text: string, extras: { at: number; what: string }[]): string {
  const places = Array.from(
    text.matchAll(
      /<(?:(?:Storage|Image|Shot|Disk_size|StorageData|Snapshots)>|\/(?:Image|Shot|Storage|StorageData|Snapshots)>)/g,
    ),
  );
  let result = text;
  const chosen = extras.map(({ at, what }) => ({ index: places[at % places.length].index, what }));
  for (const { index, what } of chosen.sort((a, b) => b.index - a.index))
    result = result.slice(0, index) + what + result.slice(index);
  return result;
}

/** The foreign parts of a document in order: what no verb has a reason to touch. */
function foreignParts(meaning: Meaning[]): unknown[] {
  return meaning.flatMap((part) => {
    if (typeof part === "string") return /^(comment|instruction)/.test(part) ? [part] : [];
    return /Unknown|Name2/.test(part.name) ? [part] : foreignParts(part.content);
  });
}

/** What the verbs do, on plain data: snapshots with parents, and the file of each in the first storage. */
interface Model {
  top: Guid;
  parents: Map<Guid, Guid | undefined>;
  files: Map<Guid, string>;
}

const modelOf = ({ topGuid, snapshots, storages }: Descriptor): Model => ({
  top: topGuid,
  parents: new Map(snapshots.map((one) => [one.guid, one.parent])),
  files: new Map(storages[0].images.map((image) => [image.guid, image.file])),
});

const newFiles = (descriptor: Descriptor, tag: number) => descriptor.storages.map((_, index) => `${tag}-${index}.hds`);

/** One change, to the descriptor and to the model; undefined where it is refused, as the model knows. */
function step(descriptor: Descriptor, model: Model, kind: number, choice: number, tag: number): Descriptor | undefined {
  const guids = [...model.parents.keys()];
  const chosen = guids[choice % guids.length];
  const children = guids.filter((one) => model.parents.get(one) === chosen);
  if (kind === 0) {
    const old = guid(1000 + tag);
    model.parents.set(old, model.parents.get(model.top)).set(model.top, old);
    model.files.set(old, model.files.get(model.top)!).set(model.top, `${tag}-0.hds`);
    return withSnapshot(descriptor, old, newFiles(descriptor, tag)).descriptor;
  }
  if (kind === 1) {
    const change = () => switchedTo(descriptor, chosen, newFiles(descriptor, tag)).descriptor;
    if (chosen === model.top) return void expect(change).toThrow(DiskError);
    model.parents.set(model.top, chosen);
    model.files.set(model.top, `${tag}-0.hds`);
    return change();
  }
  const target = kind === 2 ? "parent-file" : "child-file";
  const change = () => withoutSnapshot(descriptor, chosen, target).descriptor;
  if (chosen === model.top || children.length > 1) return void expect(change).toThrow(DiskError);
  for (const child of children) {
    model.parents.set(child, model.parents.get(chosen));
    if (target === "parent-file") model.files.set(child, model.files.get(chosen)!);
  }
  model.parents.delete(chosen);
  model.files.delete(chosen);
  return change();
}

describe("Random descriptors", () => {
  test("are read as they were written, whatever stands between", () => {
    fc.assert(
      fc.property(written, foreign, (given, extras) => {
        const text = adorned(write(given), extras);
        const descriptor = parseDescriptor(text);
        expect(descriptor.toString()).toBe(text);
        expect(descriptor.rootElement).toBe(given.root);
        expect(descriptor.size).toBe(Number(given.size) * 512);
        expect(descriptor.topGuid).toBe(given.top ?? TOP);
        expect(descriptor.snapshots.map(({ guid, parent = NONE }) => ({ guid, parent }))).toEqual(given.shots);
        expect(
          descriptor.storages.map(({ start, end, clusterSize, images }) => ({
            ...{ start: start / 512, end: end / 512, blocksize: clusterSize / 512 },
            images: images.map((image) => ({ ...image, type: image.type === "plain" ? "Plain" : "Compressed" })),
          })),
        ).toEqual(given.storages);
      }),
      runs(1000, 150),
    );
  });

  test("are as the verbs make them, and keep what we do not know", () => {
    const steps = fc.array(fc.tuple(fc.nat(3), fc.nat()), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(written, foreign, steps, (given, extras, changes) => {
        const outside = extras.filter(({ what }) => !what.includes("<!--"));
        let descriptor = parseDescriptor(adorned(write(given), outside));
        const model = modelOf(descriptor);
        for (const [tag, [kind, choice]] of changes.entries()) {
          const before = descriptor;
          descriptor = step(before, model, kind, choice, tag) ?? before;
          expect(modelOf(descriptor)).toEqual(model);
          expect(parseDescriptor(descriptor.toBytes()).toString()).toBe(descriptor.toString());
          // A deleted snapshot takes with it what stood in its own elements; all else stays, in order.
          const [was, is] = [before, descriptor].map((one) => foreignParts(meaningOf(one.toString())));
          if (kind < 2 || before === descriptor) expect(is).toEqual(was);
          else expect(isWithin(is, was)).toBe(true);
        }
      }),
      runs(1000, 50),
    );
  });

  test("with random changes of their bytes are understood or refused, whatever the encoding", () => {
    const change = fc.record({
      at: fc.nat(),
      length: fc.constantFrom(0, 0, 1, 1, 2, 30),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc
          .constantFrom(
            "<",
            ">",
            "/>",
            "</Image>",
            "<Image>",
            "&",
            "&#0;",
            "-1",
            "9".repeat(20),
            "<!--",
            "]]>",
            "<!DOCTYPE",
            "\u{1f4be}",
            "0",
          )
          .map((text) => new TextEncoder().encode(text)),
      ),
    });
    let refused = 0;
    const encoding = fc.constantFrom("utf-8", "utf-8", "utf-16le", "utf-16be");
    fc.assert(
      fc.property(written, encoding, fc.array(change, { minLength: 1, maxLength: 4 }), (given, code, changes) => {
        const text = write(given);
        let bytes: Uint8Array = encodeText(code === "utf-8" ? text : `\ufeff${text.replace("UTF-8", "UTF-16")}`, code);
        for (const { at, length, bytes: inserted } of changes) {
          const from = at % bytes.length;
          bytes = Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(from + length)]);
        }
        try {
          const descriptor = parseDescriptor(bytes);
          expect(Buffer.from(descriptor.toBytes()).equals(bytes)).toBe(true);
          const changed = withSnapshot(descriptor, guid(5000), newFiles(descriptor, 0)).descriptor;
          expect(changed.graph.parentOf(changed.topGuid)).toBe(guid(5000));
        } catch (error) {
          if (!(error instanceof DiskError)) throw error;
          expect(error.message).toMatch(/^[^\n]{20,1000}$/);
          refused++;
        }
      }),
      runs(5000, 500),
    );
    expect(refused).toBeGreaterThan(0);
  });
});

/** Whether a list is another with some left out. */
function isWithin(some: unknown[], all: unknown[]): boolean {
  const left = all.map((one) => JSON.stringify(one));
  return some.every((one) => {
    const at = left.indexOf(JSON.stringify(one));
    left.splice(0, at + 1);
    return at >= 0;
  });
}
