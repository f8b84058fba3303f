/** Devices that are no image: raw storages, several that are joined, and those of other hands as a base. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Disk, joinDevices, joinDevicesSync, MemoryStorage, rawDevice, rawDeviceSync } from "../../src/index.js";
import { patternBytes } from "../support/random.js";
import { runs } from "../support/runs.js";

const SIZES = fc.array(
  fc.nat(9).map((sectors) => sectors * 512),
  { minLength: 1, maxLength: 5 },
);

describe("Joined devices", () => {
  it("read, write, clear and tell as one, over every border", async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom("write", "writeZeroes", "discard"), fc.nat(), fc.nat(5000)));
    await fc.assert(
      fc.asyncProperty(SIZES, steps, async (sizes, list) => {
        const make = () => sizes.map((size) => new MemoryStorage(patternBytes(size, size)));
        const later = joinDevices(await Promise.all(make().map(rawDevice)));
        const now = joinDevicesSync(make().map(rawDeviceSync));
        const model = new Uint8Array(later.size);
        let at = 0;
        for (const size of sizes) {
          model.set(patternBytes(size, size), at);
          at += size;
        }
        for (const [verb, place, long] of list) {
          const offset = place % (later.size + 1);
          const length = Math.min(long, later.size - offset);
          const bytes = patternBytes(place, length);
          if (verb === "write") model.set(bytes, offset);
          else model.fill(0, offset, offset + length);
          for (const device of [later, now])
            await (verb === "write" ? device.write?.(bytes, offset) : device[verb as "discard"]?.(offset, length));
        }
        for (const device of [later, now]) {
          const whole = new Uint8Array(device.size);
          await device.read(whole, 0);
          expect(whole).toEqual(model);
          const told = (await device.status?.(0)) ?? [];
          expect(told.reduce((sum, { length }) => sum + length, 0)).toBe(device.size);
        }
      }),
      runs(200, 50),
    );
  });

  it("can do what all of them can", () => {
    const whole = rawDeviceSync(new MemoryStorage(new Uint8Array(512)));
    const { size, read } = whole;
    expect(joinDevicesSync([whole, { size, read }]).write).toBeUndefined();
    expect(joinDevicesSync([whole]).write).toBeTypeOf("function");
  });

  it("refuse what is no device", () => {
    const wrong: unknown[] = [undefined, 5, [5], [new MemoryStorage()], [Promise.resolve()]];
    for (const devices of wrong) expect(() => joinDevices(devices as never)).toThrow(/^devices: expected/);
  });
});

describe("A raw device", () => {
  it("refuses what lies beyond it, and cannot write what is only read", async () => {
    const device = await rawDevice(new MemoryStorage(new Uint8Array(1024)));
    for (const request of [() => device.read(new Uint8Array(2), 1023), () => device.writeZeroes?.(0, 1025)])
      await expect(async () => request()).rejects.toThrow(RangeError);
    const storage = Object.assign(new MemoryStorage(new Uint8Array(1024)), { readOnly: true });
    expect(Object.keys(await rawDevice(storage)).sort()).toEqual([
      "close",
      "path",
      "read",
      "readOnly",
      "size",
      "status",
    ]);
  });
});

describe("A base of other hands", () => {
  const over = (status: unknown) =>
    Disk.create(new MemoryStorage(), {
      size: 4096,
      clusterSize: 512,
      base: { size: 4096, read: async () => {}, status: async () => status as never },
    });

  it("is all data where it does not tell", async () => {
    const base = { size: 1024, read: async () => {} };
    const disk = await Disk.create(new MemoryStorage(), { size: 4096, clusterSize: 512, base });
    expect(await disk.status()).toEqual([
      { offset: 0, length: 1024, kind: "data", layer: 1 },
      { offset: 1024, length: 3072, kind: "zero", layer: 0 },
    ]);
  });

  it.each([
    ["nothing", undefined],
    ["no run", []],
    ["a gap", [{ offset: 512, length: 512, kind: "data", layer: 0 }]],
    ["too much", [{ offset: 0, length: 5000, kind: "data", layer: 0 }]],
    ["no length", [{ offset: 0, length: 0, kind: "data", layer: 0 }]],
    ["another kind", [{ offset: 0, length: 4096, kind: "base", layer: 0 }]],
    ["null", [null]],
  ])("that tells %s is no device to rely on", async (_, status) => {
    const disk = await over(status);
    await expect(disk.status()).rejects.toMatchObject({ code: "BAD_STORAGE" });
    await disk.abandon();
  });
});
