/** What tells one content of a URL from another, how far that goes, and what a caller can add. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DiskError } from "../../src/errors.js";
import { HttpStorage } from "../../src/storage/http.js";
import type { ExpectedFile, HttpOptions, HttpWarning } from "../../src/storage/http-options.js";
import { isTelling } from "../../src/storage/http-version.js";
import { patternBytes } from "../support/random.js";
import { rangeServer, type Spoil } from "../support/range-server.js";
import { runs } from "../support/runs.js";
import { content, failureOf, KIB, openAt, QUICK, URL_, withHeaders, without } from "./http-kit.js";

const MODIFIED = "Mon, 01 Jan 2024 00:00:00 GMT";
const LATER = "Mon, 01 Jan 2024 00:00:02 GMT";

/** A server whose answers carry these headers, and no other that tells contents apart. */
const serverWith = (headers: () => Record<string, string>, held = () => content) =>
  rangeServer(held, (answer) => withHeaders(without(answer, "etag"), headers()));

async function openWith(headers: Record<string, string>, options: HttpOptions = {}) {
  const warnings: HttpWarning[] = [];
  const storage = await openAt(
    serverWith(() => headers),
    { onwarning: (warning) => warnings.push(warning), ...options },
  );
  return { storage, warnings, pinned: storage.statistics.pinned };
}

describe("An HttpStorage says what holds its answers together", () => {
  const kinds: [string, Record<string, string>, string][] = [
    ["a strong ETag", { etag: '"a"' }, "etag"],
    ["an ETag without quotes", { etag: "a" }, "etag"],
    ["a weak ETag", { etag: 'W/"a"' }, "weak-etag"],
    ["a weak ETag and a date", { etag: 'W/"a"', "last-modified": MODIFIED, date: LATER }, "weak-etag"],
    ["a date that is two seconds old", { "last-modified": MODIFIED, date: LATER }, "last-modified"],
    ["a date, where the server's clock is hidden", { "last-modified": MODIFIED }, "last-modified"],
    ["a date of this moment", { "last-modified": MODIFIED, date: MODIFIED }, "nothing"],
    ["a date of now, where the server's clock is hidden", { "last-modified": new Date().toUTCString() }, "nothing"],
    ["the date of an archive", { "last-modified": "Tue, 01 Jan 1980 00:00:00 GMT", date: LATER }, "nothing"],
    ["the date of a clock that was not set", { "last-modified": "Thu, 01 Jan 1970 00:00:01 GMT" }, "nothing"],
    ["a date of nonsense", { "last-modified": "yesterday", date: LATER }, "nothing"],
    ["an empty ETag", { etag: "" }, "nothing"],
    ["nothing", {}, "nothing"],
  ];
  it.each(kinds)("by %s", async (_, headers, kind) => {
    const { pinned, warnings } = await openWith(headers);
    expect(pinned).toBe(kind);
    expect(warnings.length).toBe(kind === "nothing" ? 1 : 0);
    if (kind !== "nothing") return;
    expect(warnings[0]).toMatchObject({ code: "UNPINNED", url: URL_ });
    expect(warnings[0].message).toMatch(/guest\.hds: .*bytes of both are mixed.*expect: sha256 or version/);
  });

  it("and is not opened where the hook for warnings throws", async () => {
    const refuse = () => {
      throw new Error("not without an ETag");
    };
    await expect(openWith({}, { onwarning: refuse })).rejects.toThrow("not without an ETag");
    expect((await openWith({ etag: '"a"' }, { onwarning: refuse })).pinned).toBe("etag");
  });

  it("and is quiet about an empty file, which has no bytes to mix", async () => {
    const warnings: HttpWarning[] = [];
    const server = rangeServer(() => new Uint8Array(0));
    const storage = await openAt(server, { onwarning: (warning) => warnings.push(warning) });
    expect([storage.statistics.pinned, warnings]).toEqual(["whole", []]);
  });
});

describe("A Last-Modified", () => {
  it("tells changes apart only where a second change would have given another one", () => {
    const seconds = fc.integer({ min: Date.UTC(1981, 0) / 1000, max: Date.UTC(2100, 0) / 1000 });
    // A file that changes at two moments; the server answers between them, and gives dates in whole seconds.
    const moments = fc.tuple(seconds, fc.nat(5000), fc.nat(5000));
    fc.assert(
      fc.property(moments, ([second, untilAnswer, untilChange]) => {
        const modified = second * 1000 + (untilAnswer % 1000);
        const answered = modified + untilAnswer;
        const changedAgain = answered + untilChange;
        const text = (time: number) => new Date(time).toUTCString();
        if (isTelling(text(modified), text(answered), 0)) expect(text(changedAgain)).not.toBe(text(modified));
      }),
      runs(2000),
    );
  });
});

describe("A file that changes on its server", () => {
  const [one, other] = [content, patternBytes(2, content.length)];
  const changes: [string, Record<string, string>, Record<string, string>][] = [
    ["ETag", { etag: '"a"' }, { etag: '"b"' }],
    ["weak ETag", { etag: 'W/"a"' }, { etag: 'W/"b"' }],
    [
      "date beside the same weak ETag",
      { etag: 'W/"a"', "last-modified": MODIFIED },
      { etag: 'W/"a"', "last-modified": LATER },
    ],
    ["date", { "last-modified": MODIFIED }, { "last-modified": LATER }],
    ["date, which was too young", { "last-modified": MODIFIED, date: MODIFIED }, { "last-modified": LATER }],
    ["ETag, where there was none", { "last-modified": MODIFIED }, { "last-modified": MODIFIED, etag: '"b"' }],
    ["ETag, gone", { etag: '"a"', "last-modified": MODIFIED }, { "last-modified": MODIFIED }],
  ];
  it.each(changes)("is known by its %s", async (_, before, after) => {
    let [headers, held] = [before, one];
    const storage = await openAt(
      serverWith(
        () => headers,
        () => held,
      ),
    );
    await storage.read(new Uint8Array(100), 0);
    [headers, held] = [after, other];
    expect((await failureOf(storage.read(new Uint8Array(100), 100 * KIB))).code).toBe("CHANGED");
  });

  it("is taken for the same where servers that share a load give one ETag and many dates", async () => {
    let count = 0;
    const storage = await openAt(
      serverWith(() => ({ etag: '"a"', "last-modified": new Date(count++ * 1e6).toUTCString() })),
    );
    expect(await storage.read(new Uint8Array(100), 100 * KIB)).toBe(100);
  });

  it("is taken for the same where mirrors differ in the ETag but carry the version that was expected", async () => {
    let count = 0;
    const headers = () => ({ etag: `"${count++}"`, "x-version": "7" });
    const expect_ = { version: "7", versionHeader: "X-Version" };
    const storage = await openAt(serverWith(headers), { expect: expect_ });
    expect(await storage.read(new Uint8Array(100), 100 * KIB)).toBe(100);
    expect(storage.statistics.pinned).toBe("version");
    const without_ = await openAt(serverWith(headers));
    expect((await failureOf(without_.read(new Uint8Array(100), 100 * KIB))).code).toBe("CHANGED");
  });
});

describe("What a caller expects of a file", () => {
  it.each(['"a-7"', "a-7", 'W/"a-7"'])("is its ETag, with or without quotes: %s", async (version) => {
    for (const etag of ['"a-7"', 'W/"a-7"', "a-7"]) {
      const { pinned } = await openWith({ etag }, { expect: { version } });
      expect(pinned).toBe("version");
    }
  });

  const wrong: [string, ExpectedFile, Spoil, RegExp][] = [
    ["another length", { length: 5 }, (answer) => answer, /expected 5 bytes, got 307299/],
    ["another ETag", { version: "a" }, (answer) => withHeaders(answer, { etag: '"b"' }), /expected etag: a, got "b"/],
    ["no ETag", { version: "a" }, (answer) => without(answer, "etag"), /expected etag: a, got none.*Expose-Headers/],
    ["no version", { version: "a", versionHeader: "x-v" }, (answer) => answer, /expected x-v: a, got none/],
  ];
  it.each(wrong)("is not %s, when it is opened", async (_, expected, spoil, message) => {
    const error = await failureOf(
      openAt(
        rangeServer(() => content, spoil),
        { expect: expected },
      ),
    );
    expect(error.code).toBe("CHANGED");
    expect(error.message).toMatch(/guest\.hds is not the file that was expected: /);
    expect(error.message).toMatch(message);
  });

  it.each(wrong.slice(1))("is not %s, later", async (_, { versionHeader = "etag" }, spoil) => {
    let opened = false;
    const right = { [versionHeader]: '"a"' };
    const server = rangeServer(
      () => content,
      (answer, asked, url) => (opened ? spoil(answer, asked, url) : withHeaders(answer, right)),
    );
    const storage = await openAt(server, { expect: { version: "a", versionHeader } });
    opened = true;
    const error: DiskError = await failureOf(storage.read(new Uint8Array(100), 100 * KIB));
    expect(error.code).toBe("CHANGED");
    expect(error.message).toMatch(/has changed since it was opened/);
  });

  const impossible: [HttpOptions, RegExp][] = [
    [{ expect: { length: -1 } }, /expect\.length: expected a number of bytes, got -1/],
    [{ expect: { length: "5" as never } }, /got "5"/],
    [{ expect: { sha256: "abc" } }, /expect\.sha256: expected 64 hexadecimal digits, got "abc"/],
    [{ expect: { version: "" } }, /expect\.version: expected a text, got ""/],
    [{ expect: { versionHeader: "etag" } }, /expect\.version/],
    [{ expect: { version: "a", versionHeader: "no header" } }, /header/i],
    [{ expect: { sha: "abc" } as never }, /no option "sha": .*sha256/],
    [{ expect: null as never }, /expected an object, got null/],
    [{ wholeFile: -1 }, /wholeFile: expected true, false or a number of bytes, got -1/],
    [{ wholeFile: "yes" as never }, /wholeFile: .* got "yes"/],
    [{ wholeFile: false, expect: { sha256: "0".repeat(64) } }, /wholeFile: .*sha256 takes the whole file/],
    [{ onwarning: true as never }, /onwarning: expected a function, got true/],
    [{ onprogress: {} as never }, /onprogress: expected a function, got an object/],
    [{ fetch: "fetch" as never }, /fetch: expected a function/],
  ];
  it.each(impossible)("is refused where it can never be: %j", async (options, message) => {
    const server = rangeServer(() => content);
    const opening = HttpStorage.open(URL_, { ...QUICK, fetch: server.fetch, ...options });
    const error = await opening.catch((error: unknown) => error);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect((error as Error).message).toMatch(message);
    expect(server.asked).toEqual([]);
  });
});
