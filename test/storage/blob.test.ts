import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { BlobStorage } from "../../src/storage/blob.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { patternBytes } from "../support/random.js";

/** A file that can no longer be read, as browsers say it. */
function broken(name: string): File {
  const file = new File(["some bytes"], "disk.hds");
  const fail = () => Promise.reject(new DOMException("the browser's own words", name));
  return Object.assign(file, { slice: () => ({ size: 4, arrayBuffer: fail }) });
}

describe("BlobStorage", () => {
  it("has the name of a file, and none where a Blob has none", () => {
    expect(new BlobStorage(new File([], "guest.hds")).path).toBe("guest.hds");
    expect(new BlobStorage(new Blob([])).path).toBe("a Blob");
  });

  it.each([
    ["NotFoundError", "NOT_FOUND", "disk.hds is gone: choose the file again"],
    ["NotReadableError", "CHANGED", "disk.hds was changed or became unreadable since it was chosen"],
    ["SecurityError", "IO", "reading disk.hds failed: the browser's own words"],
  ])("says what to do when reading ends in %s", async (name, code, message) => {
    const reading = new BlobStorage(broken(name)).read(new Uint8Array(4), 0);
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("reads little at a time, however much is asked for, and all of it in the end", async () => {
    const content = patternBytes(1, 9 * 2 ** 20);
    const storage = new BlobStorage(new Blob([content]));
    const buffer = new Uint8Array(content.length);
    expect(await storage.read(buffer, 0)).toBe(4 * 2 ** 20);
    expect(await storage.read(buffer.subarray(2 ** 23), 2 ** 23)).toBe(2 ** 20);
  });

  it("carries the disk that a user has dropped, read-only", async () => {
    const memory = new MemoryStorage();
    const made = await Disk.create(memory, { size: 10 * 2 ** 20 });
    await made.write(patternBytes(2, 5000), 123_456);
    await made.close();
    const disk = await Disk.open(new BlobStorage(new File([memory.toUint8Array()], "guest.hds")));
    expect([disk.path, disk.readOnly]).toEqual(["guest.hds", true]);
    const buffer = new Uint8Array(5000);
    await disk.read(buffer, 123_456);
    expect(Buffer.compare(buffer, patternBytes(2, 5000))).toBe(0);
    await disk.close();
  });

  it("takes nothing else for a Blob", () => {
    expect(() => new BlobStorage("disk.hds" as unknown as Blob)).toThrow(
      'blob: expected a Blob or a File, got "disk.hds"',
    );
  });
});
