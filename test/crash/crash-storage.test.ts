import { describe, expect, test } from "vitest";
import { randomFrom } from "../support/random.js";
import { allStates, countStates, someStates } from "./crash-states.js";
import { CrashStorage } from "./crash-storage.js";

const sectors = (...values: number[]): Uint8Array => Uint8Array.from(values.flatMap((value) => Array(512).fill(value)));
const everything = { punch: true, allocate: true };

/** Every image that a crash may leave, as the first byte of each sector. */
function imagesOf(storage: CrashStorage): string[] {
  const pending = storage.pending();
  const images = Array.from(allStates(pending, false), ({ size, picks }) => {
    const image = storage.crashed(pending, size, picks);
    return Array.from({ length: Math.ceil(size / 512) }, (_, sector) => image[sector * 512]).join("");
  });
  expect(images.length).toBe(countStates(pending));
  return images.sort();
}

describe("a storage that can lose power", () => {
  test("keeps what was flushed, and nothing else for certain", () => {
    const storage = new CrashStorage(sectors(1, 1), everything);
    expect(imagesOf(storage)).toEqual(["11"]);
    storage.write(sectors(2), 0);
    expect(imagesOf(storage)).toEqual(["11", "21"]);
    storage.flush();
    expect(imagesOf(storage)).toEqual(["21"]);
  });

  test("tears a write at sectors, and keeps any version of a sector that was written twice", () => {
    const storage = new CrashStorage(sectors(1, 1), everything);
    storage.write(sectors(2, 2), 0);
    storage.write(sectors(3), 512);
    expect(imagesOf(storage)).toEqual(["11", "12", "13", "21", "22", "23"]);
  });

  test("never tears a sector: a write of some of its bytes is one more version of it", () => {
    const storage = new CrashStorage(sectors(1), everything);
    storage.write(new Uint8Array(100).fill(2), 0);
    storage.write(new Uint8Array(100).fill(3), 200);
    const pending = storage.pending();
    const images = Array.from(allStates(pending, false), ({ size, picks }) => storage.crashed(pending, size, picks));
    expect(images.map((image) => `${image[0]}${image[200]}`)).toEqual(["11", "21", "23"]);
  });

  test("may lose the length and keep the data, or the reverse", () => {
    const storage = new CrashStorage(sectors(1), everything);
    storage.truncate(1024);
    storage.write(sectors(2), 512);
    expect(imagesOf(storage)).toEqual(["1", "10", "12"]);
  });

  test("may keep the length of a file that was cut and lose its blocks", () => {
    const storage = new CrashStorage(sectors(1, 1, 1), everything);
    storage.truncate(512);
    expect(imagesOf(storage)).toEqual(["1", "100", "101", "110", "111"]);
  });

  test("may punch some of a hole, and grow by some of an allocation", () => {
    const storage = new CrashStorage(sectors(1, 1), everything);
    storage.punch!(0, 1024);
    expect(imagesOf(storage)).toEqual(["00", "01", "10", "11"]);
    storage.flush();
    storage.allocate!(1024, 1024);
    expect(imagesOf(storage)).toEqual(["00", "000", "0000"]);
  });

  test("makes durable what a flush covers, and leaves the rest pending", () => {
    const storage = new CrashStorage(sectors(1, 1), everything);
    storage.write(sectors(2), 0);
    storage.write(sectors(3), 0);
    storage.write(sectors(4), 512);
    storage.flush((request) => request !== 2);
    expect(imagesOf(storage)).toEqual(["24", "34"]);
  });

  test("shows the states that only the last request makes possible, and samples without repeating", () => {
    const storage = new CrashStorage(sectors(1, 1, 1), everything);
    storage.write(sectors(2), 0);
    storage.write(sectors(2, 2), 512);
    const pending = storage.pending();
    expect([...allStates(pending, true)].length).toBe(6);
    const seen = new Set<number>();
    const sampled = Array.from(someStates(pending, 500, randomFrom(1), seen), ({ picks }) => picks.join(""));
    expect(new Set(sampled).size).toBe(8);
    expect(sampled.length).toBe(8);
  });
});
