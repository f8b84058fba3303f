/** Descriptors that were made to take long, or memory, or the stack: refused, each by its name, in one test's time. */
import { expect, test } from "vitest";
import { parseDescriptor } from "../../src/bundle/descriptor.js";
import { DiskError, type DiskErrorCode } from "../../src/errors.js";
import { thorough } from "../support/runs.js";
import { chainOf, guid, TOP, write } from "./written.js";

/** As large as is read at all; a plain run tries smaller ones, which take as long for their size. */
const LENGTH = 2 ** (thorough ? 22 : 18) - 1000;
const TAGS = 2 ** (thorough ? 18 : 14) - 10;
const filled = (unit: string, length = LENGTH) => unit.repeat(Math.floor(length / unit.length));
const inRoot = (inner: string) => `<Parallels_disk_image>${inner}</Parallels_disk_image>`;

const HOSTILE: [name: string, make: () => string, code: DiskErrorCode, message: RegExp][] = [
  ["is too long", () => filled(" ", 2 ** 22 + 1), "TOO_LARGE", /4194305 characters, more than 4194304/],
  ["has too many tags", () => filled("<a/>", 4 * 2 ** 18 + 4), "TOO_LARGE", /262145 tags, more than 262144/],
  ["is nested too deep for us", () => inRoot("<a>".repeat(64) + "</a>".repeat(64)), "BAD_BUNDLE", /deeper than 64/],
  ["is nested too deep for the stack", () => "<a>".repeat(TAGS), "BAD_BUNDLE", /deeper than 64/],
  [
    "has lines ended by carriage returns",
    () => inRoot(filled("\r\n", 2 ** 20) + filled("\r", 2 ** 19)),
    "BAD_BUNDLE",
    /no Disk_Parameters/,
  ],
  ["has elements without end", () => inRoot("<a/>".repeat(TAGS - 2)), "BAD_BUNDLE", /no Disk_Parameters/],
  [
    "has attributes without end",
    () => `<Parallels_disk_image ${Array.from({ length: LENGTH / 16 }, (_, index) => `a${index}=""`).join(" ")}/>`,
    "BAD_BUNDLE",
    /no Disk_Parameters/,
  ],
  ["has references without end", () => inRoot(filled("&amp;")), "BAD_BUNDLE", /no Disk_Parameters/],
  ["has characters of two units", () => inRoot(filled("\u{1f4be}")), "BAD_BUNDLE", /no Disk_Parameters/],
  ["opens comments", () => inRoot("<!--".repeat(TAGS - 2)), "BAD_BUNDLE", /not XML/],
  ["opens CDATA", () => inRoot("<![CDATA[".repeat(TAGS - 2)), "BAD_BUNDLE", /not XML/],
  ["opens instructions", () => inRoot("<?a ".repeat(TAGS - 2)), "BAD_BUNDLE", /not XML/],
  ["opens tags", () => "<".repeat(TAGS), "BAD_BUNDLE", /not XML/],
  ["opens a quote", () => `<a b="${filled("x")}`, "BAD_BUNDLE", /not XML/],
  ["has a name without end", () => `<${filled("a")}`, "BAD_BUNDLE", /not XML/],
  ["has a line without end", () => `<a>${filled("x")}</b>`, "BAD_BUNDLE", /not XML/],
  [
    "has a number without end",
    () => write({ ...chainOf(TOP), size: filled("9", LENGTH / 2) }),
    "TOO_LARGE",
    /Disk_size/,
  ],
  ["has a declaration without end", () => `<?xml ${filled("encoding ")}`, "BAD_BUNDLE", /not XML/],
  ["has white space without end", () => `<a ${filled(" ")}`, "BAD_BUNDLE", /not XML/],
];

test.each(HOSTILE)("A descriptor that %s is refused", (_, make, code, message) => {
  const text = make();
  for (const source of [text, new TextEncoder().encode(text)]) {
    const error = refusal(source);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThanOrEqual(1000);
  }
});

test("A descriptor of thousands of snapshots in several storages is read", () => {
  const count = thorough ? 4000 : 500;
  const written = chainOf(...Array.from({ length: count - 1 }, (_, index) => guid(index + 1)), TOP);
  const [storage] = written.storages;
  const images = storage.images.map((image) => ({ ...image, file: `2${image.file}` }));
  written.storages = [
    { ...storage, end: 1024 },
    { ...storage, start: 1024, images },
  ];
  const { graph, storages } = parseDescriptor(write(written));
  expect(graph.chainOf(TOP)).toHaveLength(count);
  expect(storages.map((one) => one.images.length)).toEqual([count, count]);
});

function refusal(source: string | Uint8Array): DiskError {
  try {
    parseDescriptor(source);
  } catch (error) {
    if (error instanceof DiskError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
