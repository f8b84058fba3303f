/** The object that v86 takes, held against what v86 does to it; v86 itself is in boot.test.ts. */
import { describe, expect, it, vi } from "vitest";
import { V86Disk, type V86Failure } from "../../src/adapters/v86.js";
import { DiskError } from "../../src/errors.js";
import { patternBytes } from "../support/random.js";
import { ManualDisk, settled } from "./manual-disk.js";

const SIZE = 64 * 512;
const bytesOf = (tag: number, length = 512) => patternBytes(tag, length);
const same = (actual: Uint8Array | undefined, expected: Uint8Array) =>
  actual !== undefined && Buffer.compare(actual, expected) === 0;

/** A drive over a disk that is answered by hand, and all that came out of it. */
function setUp(options: { flushDelayMilliseconds?: number } = { flushDelayMilliseconds: Infinity }) {
  const disk = new ManualDisk(SIZE);
  const failures: V86Failure[] = [];
  const drive = new V86Disk(disk, { ...options, onerror: (failure) => failures.push(failure) });
  const answers: string[] = [];
  const set = (name: string, offset: number, bytes: Uint8Array) => drive.set(offset, bytes, () => answers.push(name));
  const read = (name: string, offset: number, length: number) => {
    const result: { bytes?: Uint8Array } = {};
    drive.get(offset, length, (bytes) => {
      answers.push(name);
      result.bytes = bytes.slice();
    });
    return result;
  };
  return { disk, drive, failures, answers, set, read };
}

describe("starting", () => {
  it("tells the size before load, and loads when the first sector is there", async () => {
    const { disk, drive } = setUp();
    disk.content.set(bytesOf(1));
    const onload = vi.fn();
    drive.onload = onload;
    expect(drive.byteLength).toBe(SIZE);
    drive.load();
    expect(onload).not.toHaveBeenCalled();
    await disk.answer();
    expect(onload).toHaveBeenCalledOnce();
    expect(same(drive.get_from_cache(0, 512), bytesOf(1))).toBe(true);
  });

  it("keeps the cached sector as the guest writes it, and knows of no other", async () => {
    const { disk, drive, set } = setUp();
    expect(drive.get_from_cache(0, 512)).toBeUndefined();
    drive.load();
    await disk.answer();
    set("write", 0, bytesOf(2, 1024));
    expect(same(drive.get_from_cache(0, 512), bytesOf(2, 1024).subarray(0, 512))).toBe(true);
    expect(drive.get_from_cache(512, 512)).toBeUndefined();
    expect(drive.get_from_cache(0, 1024)).toBeUndefined();
  });

  it("reports a first sector that cannot be read, and loads after the retry", async () => {
    const { disk, drive, failures } = setUp();
    const onload = vi.fn();
    drive.onload = onload;
    drive.load();
    await disk.fail(new Error("gone"));
    expect(failures).toMatchObject([{ verb: "read", offset: 0, length: 512 }]);
    failures[0].retry();
    await disk.answer();
    expect(onload).toHaveBeenCalledOnce();
  });

  it("refuses a delay that is no time", () => {
    for (const flushDelayMilliseconds of [-1, Number.NaN, 2 ** 31]) {
      expect(() => new V86Disk(new ManualDisk(SIZE), { flushDelayMilliseconds })).toThrow(RangeError);
    }
  });
});

describe("writes", () => {
  it("are copied at once, and acknowledged when the disk has them", async () => {
    const { disk, answers, set } = setUp();
    const buffer = bytesOf(1);
    set("first", 512, buffer);
    buffer.fill(0);
    expect(answers).toEqual([]);
    await disk.answer();
    expect(answers).toEqual(["first"]);
    expect(same(disk.content.subarray(512, 1024), bytesOf(1))).toBe(true);
  });

  it("go to the disk one at a time, in the guest's order", async () => {
    const { disk, drive, answers, set } = setUp();
    set("first", 0, bytesOf(1));
    set("second", 512, bytesOf(2));
    set("third", 0, bytesOf(3));
    expect(disk.requests.map(({ offset }) => offset)).toEqual([0]);
    expect([drive.inFlight, drive.pendingBytes]).toEqual([3, 3 * 512]);
    for (let count = 0; count < 3; count++) await disk.answer();
    expect(answers).toEqual(["first", "second", "third"]);
    expect(same(disk.content.subarray(0, 512), bytesOf(3))).toBe(true);
    expect([drive.inFlight, drive.pendingBytes]).toEqual([0, 0]);
  });

  it("go on after an acknowledgement that throws, which is seen as uncaught", async () => {
    const { disk, drive, answers, set } = setUp();
    const thrown = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => {});
    drive.set(0, bytesOf(1), () => {
      throw new Error("the emulator's own");
    });
    set("second", 512, bytesOf(2));
    await disk.answer();
    await disk.answer();
    expect(answers).toEqual(["second"]);
    expect(() => thrown.mock.calls[0][0]()).toThrow("the emulator's own");
    thrown.mockRestore();
  });
});

describe("reads", () => {
  it("wait for the writes that they must see, and for no others", async () => {
    const { disk, answers, set, read } = setUp();
    disk.content.fill(7);
    set("write", 512, bytesOf(1));
    const wide = read("wide", 0, 1536);
    const other = read("other", 1024, 512);
    set("later", 0, bytesOf(2, 1024));
    disk.waiting[1].resolve();
    await settled();
    expect(answers).toEqual(["other"]);
    expect(same(other.bytes, new Uint8Array(512).fill(7))).toBe(true);
    while (disk.waiting.length > 0) await disk.answer();
    expect(answers).toEqual(["other", "write", "wide", "later"]);
    const expected = new Uint8Array(1536).fill(7);
    expected.set(bytesOf(1), 512);
    expect(same(wide.bytes, expected)).toBe(true);
  });

  it("that are aborted are not answered, whether under way or not yet", async () => {
    const { disk, drive } = setUp();
    const done = vi.fn();
    const early = AbortSignal.abort();
    drive.get(0, 512, done, { signal: early });
    const controller = new AbortController();
    drive.get(0, 512, done, { signal: controller.signal });
    expect(disk.requests).toHaveLength(1);
    controller.abort();
    expect(drive.inFlight).toBe(0);
    await disk.answer();
    expect(done).not.toHaveBeenCalled();
  });

  it("that fail are not answered but reported, and answered after a retry", async () => {
    const { disk, drive, failures, answers, read } = setUp();
    disk.content.set(bytesOf(4), 1024);
    const result = read("read", 1024, 512);
    const cause = Object.assign(new Error("unplugged"), { code: "EIO" });
    await disk.fail(cause);
    expect(answers).toEqual([]);
    expect(failures).toMatchObject([{ verb: "read", offset: 1024, length: 512, error: { code: "IO", cause } }]);
    await expect(drive.quiesce()).rejects.toBe(failures[0].error);
    failures[0].retry();
    failures[0].retry();
    expect(disk.waiting).toHaveLength(1);
    await disk.answer();
    expect(same(result.bytes, bytesOf(4))).toBe(true);
    expect(answers).toEqual(["read"]);
  });

  it("that fail when nobody waits for them are no failure", async () => {
    const { disk, drive, failures } = setUp();
    const controller = new AbortController();
    drive.get(0, 512, vi.fn(), { signal: controller.signal });
    controller.abort();
    await disk.fail(new Error("late"));
    expect(failures).toEqual([]);
  });
});

describe("a write that fails", () => {
  const full = Object.assign(new Error("disk full"), { code: "ENOSPC" });

  it("is reported and not acknowledged, and nothing behind it is written or answered", async () => {
    const { disk, answers, failures, set, read } = setUp();
    set("first", 0, bytesOf(1));
    set("second", 512, bytesOf(2));
    await disk.fail(full);
    expect(failures).toMatchObject([{ verb: "write", offset: 0, length: 512, error: { code: "NO_SPACE" } }]);
    expect(failures[0].error).toBeInstanceOf(DiskError);
    set("third", 1024, bytesOf(3));
    read("back", 0, 512);
    read("elsewhere", 8192, 512);
    await settled();
    expect(answers).toEqual([]);
    expect(disk.waiting).toEqual([]);
  });

  it("is made good by its retry, and all goes on in order", async () => {
    const { disk, drive, answers, failures, set, read } = setUp();
    set("first", 0, bytesOf(1));
    set("second", 0, bytesOf(2));
    await disk.fail(full);
    const back = read("back", 0, 512);
    failures[0].retry();
    await disk.fail(full);
    expect(answers).toEqual([]);
    failures[0].retry(); // used up
    expect(disk.waiting).toEqual([]);
    failures[1].retry();
    await disk.answer();
    await disk.answer();
    await disk.answer();
    expect(answers).toEqual(["first", "second", "back"]);
    expect(same(back.bytes, bytesOf(2))).toBe(true);
    expect(same(disk.content.subarray(0, 512), bytesOf(2))).toBe(true);
    await drive.quiesce();
  });

  it("makes flush, quiesce and close fail with its error, at once or while they wait", async () => {
    const { disk, drive, failures, set } = setUp();
    set("write", 0, bytesOf(1));
    const early = expect(drive.flush()).rejects.toMatchObject({ code: "NO_SPACE" });
    await disk.fail(full);
    await early;
    for (const verb of ["flush", "quiesce", "close"] as const) {
      await expect(drive[verb]()).rejects.toBe(failures[0].error);
    }
    expect(disk.requests.map(({ verb }) => verb)).toEqual(["write"]);
  });

  it("is thrown where nobody catches it if no one listens", async () => {
    const disk = new ManualDisk(SIZE);
    const drive = new V86Disk(disk);
    const thrown = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => {});
    drive.set(0, bytesOf(1), vi.fn());
    await disk.fail(full);
    expect(() => thrown.mock.calls[0][0]()).toThrow("disk full");
    thrown.mockRestore();
  });
});

describe("flushing", () => {
  it("waits for the writes before it, not for those after, then flushes the disk", async () => {
    const { disk, drive, set } = setUp();
    set("first", 0, bytesOf(1));
    const flushed = drive.flush();
    set("second", 0, bytesOf(2));
    await disk.answer();
    expect(disk.requests.map(({ verb }) => verb)).toEqual(["write", "write", "flush"]);
    disk.waiting[1].resolve();
    await flushed;
    expect(disk.waiting.map(({ verb }) => verb)).toEqual(["write"]);
  });

  it("happens by itself, once, a second after the first of many writes", async () => {
    vi.useFakeTimers();
    const { disk, set } = setUp({});
    for (let count = 0; count < 5; count++) {
      set("write", 0, bytesOf(count));
      await disk.answer();
      await vi.advanceTimersByTimeAsync(150);
    }
    expect(disk.waiting).toEqual([]);
    await vi.advanceTimersByTimeAsync(250);
    expect(disk.waiting.map(({ verb }) => verb)).toEqual(["flush"]);
    await disk.answer();
    await vi.advanceTimersByTimeAsync(5000);
    expect(disk.requests.filter(({ verb }) => verb === "flush")).toHaveLength(1);
    set("write", 0, bytesOf(9));
    await disk.answer();
    await vi.advanceTimersByTimeAsync(1000);
    expect(disk.waiting.map(({ verb }) => verb)).toEqual(["flush"]);
    vi.useRealTimers();
  });

  it("is left to the caller where the delay is infinite, and not repeated after a call", async () => {
    vi.useFakeTimers();
    const lazy = setUp({ flushDelayMilliseconds: Infinity });
    lazy.set("write", 0, bytesOf(1));
    await lazy.disk.answer();
    const eager = setUp({ flushDelayMilliseconds: 10 });
    eager.set("write", 0, bytesOf(1));
    await eager.disk.answer();
    const flushed = eager.drive.flush();
    await settled();
    await eager.disk.answer();
    await flushed;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(lazy.disk.requests).toHaveLength(1);
    expect(eager.disk.requests).toHaveLength(2);
    vi.useRealTimers();
  });

  it("that fails by itself is reported, and tried again when told to", async () => {
    vi.useFakeTimers();
    const { disk, failures, set } = setUp({ flushDelayMilliseconds: 10 });
    set("write", 0, bytesOf(1));
    await disk.answer();
    await vi.advanceTimersByTimeAsync(10);
    await disk.fail(new Error("no power"));
    expect(failures).toMatchObject([{ verb: "flush", error: { code: "IO" } }]);
    failures[0].retry();
    await settled();
    await disk.answer();
    expect(disk.requests.map(({ verb }) => verb)).toEqual(["write", "flush", "flush"]);
    vi.useRealTimers();
  });
});

describe("states", () => {
  it("are refused while a request is in flight, and saved once it is quiet", async () => {
    const { disk, drive, set, read } = setUp();
    set("write", 0, bytesOf(1));
    read("read", 8192, 512);
    expect(() => drive.get_state()).toThrow(
      expect.objectContaining({ code: "BUSY", details: { reads: 1, writes: 1 } }),
    );
    const quiet = drive.quiesce();
    await disk.answer();
    expect(() => drive.get_state()).toThrow("in flight");
    await disk.answer();
    await quiet;
    const state = drive.get_state();
    expect(() => drive.set_state(state)).not.toThrow();
  });

  it("of another disk are refused", () => {
    const state = new V86Disk(new ManualDisk(512)).get_state();
    const { drive } = setUp();
    expect(() => drive.set_state(state)).toThrow(/expected .*32768.* got .*512/);
    expect(() => drive.set_state([])).toThrow(RangeError);
  });

  it("put a new machine in the place of the old one, which gets no answer any more; its writes are made", async () => {
    const { disk, drive, answers, set, read } = setUp();
    const state = drive.get_state();
    set("first", 0, bytesOf(1));
    set("second", 512, bytesOf(2));
    read("read", 8192, 512);
    drive.set_state(state);
    while (disk.waiting.length > 0) await disk.answer();
    await drive.quiesce();
    expect(answers).toEqual([]);
    expect(same(disk.content.subarray(512, 1024), bytesOf(2))).toBe(true);
  });
});

describe("closing", () => {
  it("waits for the writes, then closes the disk, which flushes", async () => {
    vi.useFakeTimers();
    const { disk, drive, set } = setUp({});
    set("first", 0, bytesOf(1));
    set("second", 512, bytesOf(2));
    const closed = drive.close();
    for (let count = 0; count < 3; count++) await disk.answer();
    await closed;
    expect(disk.requests.map(({ verb }) => verb)).toEqual(["write", "write", "close"]);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});
