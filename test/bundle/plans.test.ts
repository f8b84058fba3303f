/** What the verbs make of a descriptor, and which files go. */
import { describe, expect, test } from "vitest";
import { type Descriptor, parseDescriptor } from "../../src/bundle/descriptor.js";
import { newImageNames, strayFiles } from "../../src/bundle/image-files.js";
import { asTemporary, switchedTo, withoutSnapshot, withSnapshot } from "../../src/bundle/plans.js";
import { chainOf, guid, NONE, TOP, type Written, write } from "./written.js";

const read = (written: Written) => parseDescriptor(write(written), { allowAbsolute: true });
const files = ({ storages }: Descriptor) =>
  storages.map(({ images }) => Object.fromEntries(images.map((image) => [image.guid, [image.file, image.type]])));
const fileOf = (one: string, storage = 0) => `disk.hdd.${storage}.${one}.hds`;
const expandable = (file: string) => [file, "expandable"];

/** Two storages, each with a raw root, a snapshot on it and the top. */
function split(): Written {
  const written = chainOf(guid(1), guid(2), TOP);
  written.storages[0].images[0].type = "Plain";
  const images = written.storages[0].images.map((image) => ({ ...image, file: image.file.replace(".0.", ".1.") }));
  written.storages = [
    { ...written.storages[0], end: 1024 },
    { ...written.storages[0], start: 1024, images },
  ];
  return written;
}

describe("Taking a snapshot", () => {
  test("gives the old top's files a new GUID, and the top new files above them", () => {
    const { descriptor, removed } = withSnapshot(read(split()), guid(9), ["a.hds", "b.hds"]);
    expect(removed).toEqual([]);
    expect(descriptor.topGuid).toBe(TOP);
    expect(descriptor.graph.chainOf(TOP)).toEqual([guid(1), guid(2), guid(9), TOP]);
    expect(files(descriptor).map((one) => [one[guid(9)], one[TOP]])).toEqual([
      [expandable(fileOf(TOP)), expandable("a.hds")],
      [expandable(fileOf(TOP, 1)), expandable("b.hds")],
    ]);
  });

  test("leaves TopGUID as it is where there is one", () => {
    const written = { ...chainOf(TOP, guid(3)), top: guid(3) };
    const { descriptor } = withSnapshot(read(written), guid(9), ["a.hds"]);
    expect(descriptor.topGuid).toBe(guid(3));
    expect(descriptor.graph.chainOf(guid(3))).toEqual([TOP, guid(9), guid(3)]);
    expect(descriptor.toString()).toContain(`<TopGUID>${guid(3)}</TopGUID>`);
  });

  test("takes names apart from a text's own signs", () => {
    const { descriptor } = withSnapshot(read(chainOf(TOP)), guid(9), ["a & <b> \u{1f4be}.hds"]);
    expect(descriptor.imageOf(0, TOP).file).toBe("a & <b> \u{1f4be}.hds");
  });

  test("is refused with too few files, a GUID or a name that is taken", () => {
    const before = read(split());
    expect(() => withSnapshot(before, guid(9), ["a.hds"])).toThrow("files: expected 2, one for each storage, got 1");
    expect(() => withSnapshot(before, guid(1), ["a.hds", "b.hds"])).toThrow(RangeError);
    expect(() => withSnapshot(before, guid(9), ["a.hds", "A.hds"])).toThrow(/two images have the file/);
  });
});

describe("Deleting a snapshot", () => {
  test("into the child's file: the lower file goes", () => {
    const { descriptor, removed } = withoutSnapshot(read(split()), guid(2), "child-file");
    expect(removed).toEqual([fileOf(guid(2)), fileOf(guid(2), 1)]);
    expect(descriptor.graph.chainOf(TOP)).toEqual([guid(1), TOP]);
    expect(files(descriptor)[1][TOP]).toEqual(expandable(fileOf(TOP, 1)));
  });

  test("into its own file: the child's file goes, and what it had is in the lower one", () => {
    const { descriptor, removed } = withoutSnapshot(read(split()), guid(2), "parent-file");
    expect(removed).toEqual([fileOf(TOP), fileOf(TOP, 1)]);
    expect(descriptor.graph.chainOf(TOP)).toEqual([guid(1), TOP]);
    expect(files(descriptor)[1][TOP]).toEqual(expandable(fileOf(guid(2), 1)));
  });

  test("that is a raw root: the child is the root then, raw or expandable as its file is", () => {
    const down = withoutSnapshot(read(split()), guid(1), "parent-file").descriptor;
    expect(files(down)[0][guid(2)]).toEqual([fileOf(guid(1)), "plain"]);
    expect(down.graph.parentOf(guid(2))).toBeUndefined();
    const up = withoutSnapshot(read(split()), guid(1), "child-file").descriptor;
    expect(files(up)[0][guid(2)]).toEqual(expandable(fileOf(guid(2))));
    expect(up.toString()).toContain(`<GUID>${guid(2)}</GUID><ParentGUID>${NONE}</ParentGUID>`);
  });

  test("on which nothing stands: its files go, whatever was to be merged", () => {
    const written = chainOf(guid(1), guid(2), TOP);
    written.shots[2].parent = guid(1);
    for (const target of ["parent-file", "child-file"] as const) {
      const { descriptor, removed } = withoutSnapshot(read(written), guid(2), target);
      expect(removed).toEqual([fileOf(guid(2))]);
      expect(descriptor.graph.guids).toEqual([guid(1), TOP]);
    }
  });

  test("keeps the other children's parents, and what we do not know of either", () => {
    const written = chainOf(guid(1), guid(2), guid(3), TOP);
    written.shots[3].parent = guid(2);
    written.shots[2].parent = guid(2);
    const text = write(written).replace(`<GUID>${guid(2)}</GUID>`, `<!-- two --><GUID a="1">${guid(2)}</GUID><New/>`);
    const { descriptor } = withoutSnapshot(parseDescriptor(text), guid(1), "parent-file");
    expect(descriptor.graph.tree().map((one) => one.guid)).toEqual([guid(2), guid(3), TOP]);
    expect(descriptor.toString()).not.toContain("two"); // it told of the file that went
    const up = withoutSnapshot(parseDescriptor(text), guid(1), "child-file").descriptor;
    expect(up.toString()).toContain(`<!-- two --><GUID a="1">${guid(2)}</GUID><New/>`);
  });

  test("never names a file outside the bundle as one to remove", () => {
    const written = chainOf(guid(1), TOP);
    written.storages[0].images[0].file = "/elsewhere/template.hds";
    expect(withoutSnapshot(read(written), guid(1), "child-file").removed).toEqual([]);
  });
});

describe("A snapshot that is to go, with several on it", () => {
  const branched = () => {
    const written = chainOf(guid(1), guid(2), guid(3), TOP);
    written.shots[3].parent = guid(2);
    return written;
  };

  test("stays in their chains under another GUID, and is marked", () => {
    const { descriptor, removed } = asTemporary(read(branched()), guid(2), guid(9));
    expect(removed).toEqual([]);
    for (const one of [guid(3), TOP] as const) expect(descriptor.graph.chainOf(one)).toEqual([guid(1), guid(9), one]);
    expect(descriptor.graph.guids.filter((one) => descriptor.isTemporary(one))).toEqual([guid(9)]);
    expect(descriptor.imageOf(0, guid(9)).file).toBe(fileOf(guid(2)));
  });

  test.each([
    "<Temporary/>",
    "<Temporary></Temporary>",
    "<Temporary>0</Temporary>",
    '<Temporary a="1"><!-- no --></Temporary>',
  ])("is marked where others left %s", (mark) => {
    const text = write(branched()).replace(`<Shot><GUID>${guid(2)}`, `<Shot>${mark}<GUID>${guid(2)}`);
    const before = parseDescriptor(text);
    expect(before.isTemporary(guid(2))).toBe(false);
    const { descriptor } = asTemporary(before, guid(2), guid(9));
    expect(descriptor.isTemporary(guid(9))).toBe(true);
    expect(descriptor.toString().includes('<Temporary a="1"><!-- no -->1</Temporary>')).toBe(mark.includes("a="));
  });
});

describe("Going back to a snapshot", () => {
  test("drops the top's files, and puts empty ones above the snapshot", () => {
    const { descriptor, removed } = switchedTo(read(split()), guid(1), ["a.hds", "b.hds"]);
    expect(removed).toEqual([fileOf(TOP), fileOf(TOP, 1)]);
    expect(descriptor.graph.chainOf(TOP)).toEqual([guid(1), TOP]);
    expect(descriptor.graph.childrenOf(guid(1))).toEqual([guid(2), TOP]);
    expect(files(descriptor).map((one) => one[TOP])).toEqual([expandable("a.hds"), expandable("b.hds")]);
  });

  test("drops a raw top, too, where there is another root", () => {
    const written = chainOf(guid(1), TOP);
    written.storages[0].images[1].type = "Plain";
    written.shots[1].parent = NONE;
    const { descriptor } = switchedTo(read(written), guid(1), ["a.hds"]);
    expect(files(descriptor)[0][TOP]).toEqual(expandable("a.hds"));
  });

  test("is refused to the top itself, and to what is not there", () => {
    expect(() => switchedTo(read(split()), TOP, ["a", "b"])).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
    expect(() => switchedTo(read(split()), guid(7), ["a", "b"])).toThrow(
      expect.objectContaining({ code: "NOT_FOUND" }),
    );
  });
});

describe("Files of a bundle", () => {
  test("that are new are called like the others", () => {
    expect(newImageNames(read(split()), guid(9))).toEqual([fileOf(guid(9)), fileOf(guid(9), 1)]);
    const named = (file: string) => {
      const written = chainOf(TOP);
      written.storages[0].images[0].file = file;
      return newImageNames(read(written), guid(9))[0];
    };
    expect(named("root.hds")).toBe(`root.0.${guid(9)}.hds`);
    expect(named("/else/where.hdd.3.{5fbaabe3-6958-40ff-92a7-860e329aab41}.hds")).toBe(`where.hdd.0.${guid(9)}.hds`);
    expect(named("\u00e4".repeat(200))).toBe(`disk.hdd.0.${guid(9)}.hds`);
    expect(named(".hds")).toBe(`disk.hdd.0.${guid(9)}.hds`);
  });

  test("that a crash left are found, and nothing else", () => {
    const descriptor = read(split());
    const ours = [
      ...[
        fileOf(guid(9)),
        fileOf(guid(9), 1),
        fileOf(guid(9), 12),
        `${fileOf(TOP)}.part-12`,
        "DiskDescriptor.xml.part",
      ],
      "DiskDescriptor.xml.part-7-1",
    ];
    const others = [
      ...["DiskDescriptor.xml", "DiskDescriptor.xml.Backup", "Snapshots.xml", "disk.hdd", "disk.hdd.part", "notes.txt"],
      ...[
        fileOf(guid(9)).replace("disk", "other"),
        `${fileOf(guid(9))}.bak`,
        "disk.hdd.0.hds",
        fileOf(TOP).toUpperCase(),
      ],
      ...descriptor.storages.flatMap(({ images }) => images.map(({ file }) => file)),
    ];
    expect(strayFiles(descriptor, [...others, ...ours])).toEqual(ours);
  });
});
