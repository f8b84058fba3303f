/** What a descriptor may say, and how each fault is refused: by its name. */
import { describe, expect, test } from "vitest";
import { parseDescriptor } from "../../src/bundle/descriptor.js";
import { encodeText } from "../../src/bundle/encoding.js";
import { withSnapshot } from "../../src/bundle/plans.js";
import { DiskError, type DiskErrorCode } from "../../src/errors.js";
import { chainOf, guid, NONE, TOP, type Written, write } from "./written.js";

const chain = () => chainOf(guid(1), TOP);

function refusal(source: string | Uint8Array): { code: DiskErrorCode; message: string } {
  try {
    parseDescriptor(source);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { code: error.code, message: error.message };
  }
  throw new Error("it was not refused");
}

describe("A descriptor", () => {
  test("may write GUIDs without braces and in capitals", () => {
    const text = write(chain()).replaceAll(guid(1), guid(1).slice(1, -1).toUpperCase());
    const { snapshots, storages } = parseDescriptor(text);
    expect(snapshots).toEqual([{ guid: guid(1) }, { guid: TOP, parent: guid(1) }]);
    expect(storages[0].images[0].guid).toBe(guid(1));
  });

  test("may name its top, and then the usual GUID is an ordinary one", () => {
    const branches: Written = { ...chainOf(guid(1), TOP, guid(3)), top: guid(3) };
    branches.shots[2].parent = guid(1);
    expect(parseDescriptor(write(branches)).topGuid).toBe(guid(3));
    expect(parseDescriptor(write({ ...chain(), top: " " })).topGuid).toBe(TOP);
  });

  test("may lay its values out on lines of their own, put comments and CDATA between, begin with a mark", () => {
    const text = write(chain())
      .replace(`<File>disk.hdd.0.${TOP}.hds</File>`, `<File><!-- here -->\r\n\tdisk.hdd.0.${TOP}.hds\r\n</File>`)
      .replace("<Blocksize>128", "<Blocksize>\n 1<!-- hundred -->28\n")
      .replace(`<Shot><GUID>${guid(1)}`, `<Shot><GUID><![CDATA[${guid(1)}]]>`)
      .replace(`<Shot><GUID>${TOP}`, `<Shot><GUID>${TOP.slice(0, 9)}<!-- top -->${TOP.slice(9)}`);
    const descriptor = parseDescriptor(`\ufeff${text}`);
    expect(descriptor.storages[0].clusterSize).toBe(65536);
    expect(descriptor.imageOf(0, TOP).file).toBe(`disk.hdd.0.${TOP}.hds`);
    expect(descriptor.toString()).toBe(`\ufeff${text}`);
    const changed = withSnapshot(descriptor, guid(9), ["new.hds"]).descriptor;
    expect(changed.graph.chainOf(TOP)).toEqual([guid(1), guid(9), TOP]);
    for (const comment of ["here", "hundred", "top"]) expect(changed.toString()).toContain(`<!-- ${comment} -->`);
  });

  test("may have nothing but what is needed, and nothing in its disk", () => {
    const { size, name, storages } = parseDescriptor(
      write({ ...chain(), size: 0, parameters: "", storages: [{ ...chain().storages[0], end: 0 }] }),
    );
    expect({ size, name, end: storages[0].end }).toEqual({ size: 0, name: "", end: 0 });
  });

  test("may list images that no snapshot has: they stay", () => {
    const written = chain();
    written.storages[0].images.push({ guid: guid(7), type: "Compressed", file: "other.hds" });
    const changed = withSnapshot(parseDescriptor(write(written)), guid(9), ["new.hds"]);
    expect(changed.removed).toEqual([]);
    expect(changed.descriptor.storages[0].images.map(({ file }) => file)).toContain("other.hds");
  });

  test.each(["utf-16le", "utf-16be", "utf-8"] as const)("in %s comes out in it, changed or not", (encoding) => {
    const declared = encoding.replace(/..$/, (end) => (end === "-8" ? end : ""));
    const text = `\ufeff${write({ ...chain(), parameters: "<Name>\u00c4\u{1f4be}</Name>" }).replace("UTF-8", declared)}`;
    const bytes = encodeText(text, encoding);
    const descriptor = parseDescriptor(bytes);
    expect(descriptor.name).toBe("\u00c4\u{1f4be}");
    expect(Buffer.from(descriptor.toBytes())).toEqual(Buffer.from(bytes));
    const { descriptor: changed } = withSnapshot(descriptor, guid(9), ["\u00c4.hds"]);
    expect(parseDescriptor(changed.toBytes()).imageOf(0, TOP).file).toBe("\u00c4.hds");
    expect(changed.encoding).toBe(encoding);
  });
});

type Fault = [fault: string, change: (written: Written) => unknown, code: DiskErrorCode, message: RegExp];

const FAULTS: Fault[] = [
  ["another root", (w) => (w.root = "VirtualDisk"), "BAD_BUNDLE", /root element is "VirtualDisk"/],
  ["padding", (w) => (w.parameters = "<Padding>1</Padding>"), "UNSUPPORTED", /Padding "1"/],
  [
    "encryption",
    (w) => (w.parameters = `<Encryption><Engine>${guid(4)}</Engine></Encryption>`),
    "UNSUPPORTED",
    /is encrypted/,
  ],
  ["large sectors", (w) => (w.parameters = "<LogicSectorSize>4096</LogicSectorSize>"), "UNSUPPORTED", /"4096"/],
  ["two sizes", (w) => (w.parameters = "<Disk_size>2048</Disk_size>"), "BAD_BUNDLE", /more than one Disk_size/],
  ["a size that is none", (w) => (w.size = "0x800"), "BAD_BUNDLE", /Disk_size should be a number of sectors.*"0x800"/],
  ["a negative size", (w) => (w.size = -2048), "BAD_BUNDLE", /Disk_size.*"-2048"/],
  ["a size of thousands of digits", (w) => (w.size = "9".repeat(5000)), "TOO_LARGE", /Disk_size.*2\^53/],
  ["a size beyond 2^53", (w) => (w.size = 2 ** 44), "TOO_LARGE", /Disk_size/],
  ["an element for a value", (w) => (w.size = "<b>2048</b>"), "BAD_BUNDLE", /Disk_size should hold text.*"b"/],
  ["no storage", (w) => (w.storages = []), "BAD_BUNDLE", /no Storage/],
  [
    "a disk larger than its storages",
    (w) => (w.size = 4096),
    "BAD_BUNDLE",
    /end at byte 1048576, but Disk_size says 2097152/,
  ],
  ["a storage that starts late", (w) => (w.storages[0].start = 1), "BAD_BUNDLE", /storage 0 starts at byte 512.*gap/],
  [
    "a storage that ends before it starts",
    (w) => {
      w.storages[0].end = 1000;
      w.storages.push({ ...w.storages[0], start: 1000, end: 900 }, { ...w.storages[0], start: 900, end: 2048 });
    },
    "BAD_BUNDLE",
    /storage 1 starts at byte 512000 and ends at 460800/,
  ],
  [
    "storages in the wrong order",
    (w) => {
      w.storages = [
        { ...w.storages[0], start: 1024 },
        { ...w.storages[0], end: 1024 },
      ];
    },
    "BAD_BUNDLE",
    /storage 0.*gap/,
  ],
  ["an empty storage", (w) => w.storages.unshift({ ...w.storages[0], end: 0 }), "BAD_BUNDLE", /storage 0.*empty/],
  ["no cluster", (w) => (w.storages[0].blocksize = 0), "BAD_BUNDLE", /Blocksize should be 1 to \d+ sectors, but is 0/],
  ["clusters too large", (w) => (w.storages[0].blocksize = 4186128), "BAD_BUNDLE", /Blocksize.*4186128/],
  ["another type of image", (w) => (w.storages[0].images[0].type = "Sparse"), "UNSUPPORTED", /type "Sparse"/],
  ["a plain image on another", (w) => (w.storages[0].images[1].type = "Plain"), "BAD_BUNDLE", /Plain.*only a root may/],
  [
    "a GUID that is none",
    (w) => (w.storages[0].images[0].guid = "{1}"),
    "BAD_BUNDLE",
    /GUID "\{1\}", which is no GUID/,
  ],
  ["an image twice", (w) => (w.storages[0].images[0].guid = TOP.toUpperCase()), "BAD_BUNDLE", /two images \{5fba/],
  [
    "one file twice",
    (w) => (w.storages[0].images[0].file = `DISK.hdd.0.${TOP}.hds`),
    "BAD_BUNDLE",
    /two images have the file/,
  ],
  [
    "one file by two names",
    (w) => (w.storages[0].images[0].file = `./disk.hdd.0.${TOP}.hds`),
    "BAD_BUNDLE",
    /two images have/,
  ],
  ["an image that is missing", (w) => w.storages[0].images.shift(), "BAD_BUNDLE", /no image of snapshot \{00000001/],
  ["a snapshot twice", (w) => w.shots.push({ ...w.shots[0] }), "BAD_BUNDLE", /\{00000001.*listed twice/],
  ["a snapshot of zeros", (w) => (w.shots[0].guid = NONE), "BAD_BUNDLE", /GUID of zeros/],
  ["a parent that is missing", (w) => (w.shots[1].parent = guid(5)), "BAD_BUNDLE", /\{00000005.*is not listed/],
  ["a snapshot that stands on itself", (w) => (w.shots[0].parent = guid(1)), "BAD_BUNDLE", /circle/],
  [
    "a circle beside a good tree",
    (w) => {
      w.shots.push({ guid: guid(5), parent: guid(6) }, { guid: guid(6), parent: guid(5) });
    },
    "BAD_BUNDLE",
    /circle/,
  ],
  ["no top", (w) => (w.top = guid(5)), "BAD_BUNDLE", /no top: no snapshot \{00000005/],
  ["a top that others stand on", (w) => (w.top = guid(1)), "BAD_BUNDLE", /stands on the top/],
  [
    "the top of a backup",
    (w) => {
      w.top = "{704718e1-2314-44c8-9087-d78ed36b0f4e}";
      w.shots[1].guid = w.top;
    },
    "BAD_BUNDLE",
    /backups have/,
  ],
];

describe("A descriptor is refused for", () => {
  test.each(FAULTS)("%s", (_, change, code, message) => {
    const written = chain();
    change(written);
    const refused = refusal(write(written));
    expect(refused).toEqual({ code, message: expect.stringMatching(message) });
    expect(refused.message).toMatch(/^[^\n]{20,1000}$/);
  });

  test.each([
    ["Disk_Parameters", /<Disk_Parameters>.*<\/Disk_Parameters>/s],
    ["StorageData", /<StorageData>.*<\/StorageData>/s],
    ["Snapshots", /<Snapshots>.*<\/Snapshots>/s],
    ["Disk_size", /<Disk_size>\d+<\/Disk_size>/],
    ["File", /<File>[^<]*<\/File>/],
    ["ParentGUID", /<ParentGUID>[^<]*<\/ParentGUID>/],
  ])("having no %s", (name, pattern) => {
    expect(refusal(write(chain()).replace(pattern, "")).message).toMatch(`has no ${name};`);
  });

  test.each([
    ["../other.hdd/disk.hds", "BAD_BUNDLE", /outside the bundle/],
    ["sub/disk.hds", "BAD_BUNDLE", /outside the bundle/],
    ["..\\disk.hds", "BAD_BUNDLE", /outside the bundle/],
    ["./../disk.hds", "BAD_BUNDLE", /outside the bundle/],
    ["C:disk.hds", "BAD_BUNDLE", /outside the bundle/],
    ["/etc/passwd", "UNSUPPORTED", /absolute path/],
    ["\\\\server\\disk.hds", "UNSUPPORTED", /absolute path/],
    ["C:\\disk.hds", "UNSUPPORTED", /absolute path/],
    ["c:/disk.hds", "UNSUPPORTED", /absolute path/],
    ["", "BAD_BUNDLE", /no name of a file/],
    ["..", "BAD_BUNDLE", /no name of a file/],
    ["./", "BAD_BUNDLE", /no name of a file/],
    ["a\nb", "BAD_BUNDLE", /no name of a file/],
    ["diskdescriptor.XML", "BAD_BUNDLE", /is the descriptor/],
    ["DiskDescriptor.xml.Backup", "BAD_BUNDLE", /is the descriptor/],
  ] as const)("the file name %j", (file, code, message) => {
    const written = chain();
    written.storages[0].images[0].file = file;
    expect(refusal(write(written))).toEqual({ code, message: expect.stringMatching(message) });
  });

  test.each([
    ["a DOCTYPE", (text) => text.replace("?>", '?><!DOCTYPE a SYSTEM "file:///etc/passwd">'), "UNSUPPORTED", /DOCTYPE/],
    ["an entity", (text) => text.replace("2048", "&size;"), "BAD_BUNDLE", /not XML.*&size;/],
    ["a cut end", (text) => text.slice(0, 400), "BAD_BUNDLE", /not XML/],
    ["no text", () => "", "BAD_BUNDLE", /not XML/],
    ["two documents", (text) => text + text.slice(text.indexOf("<P")), "BAD_BUNDLE", /not XML/],
    ["another version", (text) => text.replace('Version="1.0"', 'Version="2.0"'), "UNSUPPORTED", /version "2.0"/],
    [
      "another encoding",
      (text) => text.replace("UTF-8", "windows-1251"),
      "UNSUPPORTED",
      /"windows-1251".*save it as UTF-8/,
    ],
    ["UTF-16 in name only", (text) => text.replace("UTF-8", "UTF-16"), "UNSUPPORTED", /"UTF-16"/],
  ] satisfies [string, (text: string) => string, DiskErrorCode, RegExp][])("%s", (_, change, code, message) => {
    const refused = refusal(new TextEncoder().encode(change(write(chain()))));
    expect(refused).toEqual({ code, message: expect.stringMatching(message) });
  });

  test("bytes that are no text", () => {
    const bytes = new TextEncoder().encode(write(chain()));
    bytes[60] = 0xff;
    expect(refusal(bytes)).toEqual({ code: "BAD_BUNDLE", message: expect.stringMatching(/not UTF-8/) });
    const unmarked = encodeText(write(chain()), "utf-16le");
    expect(refusal(unmarked)).toEqual({ code: "UNSUPPORTED", message: expect.stringMatching(/byte order mark/) });
    const odd = encodeText(`\ufeff${write(chain())}`, "utf-16le").subarray(0, -1);
    expect(refusal(odd)).toEqual({ code: "BAD_BUNDLE", message: expect.stringMatching(/not UTF-16LE/) });
  });
});
