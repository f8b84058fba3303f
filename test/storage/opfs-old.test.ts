/**
 * OPFS where the browser is not as we need it. Safari before 16.4 and a browser that refuses to open access handles
 * cannot be had on the machines that run this, so that their answers stand in for them: objects of the same shape.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import { OpfsStorage } from "../../src/index.js";

type Calls = { closed: number; removed: string[] };

/** An OPFS that has no file yet; `handle` is what opening one gives. */
function pretendOpfs(handle: (calls: Calls) => unknown): Calls {
  const calls: Calls = { closed: 0, removed: [] };
  let made = false;
  const file = { name: "a.hds", createSyncAccessHandle: async () => handle(calls) };
  const root = {
    async getFileHandle(_name: string, { create }: { create: boolean }) {
      if (!made && !create) throw new DOMException("it is not there", "NotFoundError");
      made = true;
      return file;
    },
    removeEntry: async (name: string) => void calls.removed.push(name),
  };
  vi.stubGlobal("navigator", { storage: { getDirectory: async () => root } });
  vi.stubGlobal(
    "FileSystemFileHandle",
    class {
      createSyncAccessHandle() {}
    },
  );
  return calls;
}

afterEach(() => void vi.unstubAllGlobals());

describe("OpfsStorage", () => {
  it("refuses handles that answer with promises, as Safari's before 16.4 did, and keeps nothing of them", async () => {
    const calls = pretendOpfs((calls) => ({
      getSize: async () => 0,
      close: async () => void calls.closed++,
    }));
    await expect(OpfsStorage.open("a.hds", { create: "new" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/promises.*Safari before 16\.4.*update the browser$/),
    });
    expect(calls).toEqual({ closed: 1, removed: ["a.hds"] });
  });

  it("says that a browser which opens no handles is the wrong one, and leaves no file behind", async () => {
    const calls = pretendOpfs(() => {
      throw new DOMException("", "NotSupportedError");
    });
    await expect(OpfsStorage.open("a.hds", { create: "new" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/a\.hds failed: .*use another browser$/),
    });
    expect(calls.removed).toEqual(["a.hds"]);
  });

  it("names what refuses OPFS as a whole, and says what it can be", async () => {
    for (const [name, code] of [
      ["SecurityError", "PERMISSION"],
      ["UnknownError", "UNSUPPORTED"],
    ] as const) {
      pretendOpfs(() => undefined);
      vi.stubGlobal("navigator", {
        storage: {
          async getDirectory() {
            throw new DOMException("", name);
          },
        },
      });
      await expect(OpfsStorage.open("a.hds")).rejects.toMatchObject({
        code,
        message: expect.stringMatching(new RegExp(`\\(${name}\\): the window may be private`)),
      });
    }
  });

  it.each([
    [
      "no handle answers",
      () => {
        throw new DOMException("", "QuotaExceededError");
      },
      "NO_SPACE",
    ],
    [
      "Firefox throws",
      () => {
        throw Object.assign(Object.create(null), { name: "NS_ERROR_FILE_NO_DEVICE_SPACE", message: "" });
      },
      "NO_SPACE",
    ],
    ["Firefox writes nothing", () => 0, "NO_SPACE"],
    ["Chromium answers the number of a full device", () => 2 ** 32 - 8, "NO_SPACE"],
    ["Chromium answers another number", () => 2 ** 32 - 1, "IO"],
    [
      "an error without a message",
      () => {
        throw new DOMException("", "InvalidStateError");
      },
      "IO",
    ],
  ])("where %s, a write fails with a code and words", async (_, write, code) => {
    pretendOpfs(() => ({ getSize: () => 0, close: () => {}, write }));
    const storage = await OpfsStorage.open("a.hds", { create: "new" });
    const error = await Promise.resolve()
      .then(() => storage.write(new Uint8Array(9), 3))
      .catch((error) => error);
    expect(error).toMatchObject({ name: "DiskError", code });
    expect(error.message).toMatch(/^writing 9 bytes at 3 of a\.hds failed: \S.{9,}$/);
    storage.close();
  });

  it("says that a page over plain HTTP has none", async () => {
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("isSecureContext", false);
    await expect(OpfsStorage.open("a.hds")).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("plain HTTP"),
    });
    vi.stubGlobal("isSecureContext", true);
    await expect(OpfsStorage.open("a.hds")).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("private windows"),
    });
  });

  it.each([Number.NaN, -1, 2 ** 31, "9"])("refuses to wait for %s ms", async (waitMilliseconds) => {
    await expect(OpfsStorage.open("a.hds", { waitMilliseconds: waitMilliseconds as number })).rejects.toThrow(
      /^waitMilliseconds: expected a number from 0/,
    );
  });
});
