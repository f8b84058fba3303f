/** What the playground reckons without a browser: pictures, extents, views of the map, text of the serial port. */
import { describe, expect, it } from "vitest";
import { DiskSync, type Extent, MemoryStorage } from "../../src/index.js";
import { type Found, sourceAmong } from "../../web/page/folder.js";
import { zoomedIn, zoomedOut } from "../../web/page/map-view.js";
import { plain } from "../../web/page/serial.js";
import { extentAt, pictureOf } from "../../web/worker/picture.js";

const CLUSTER = 512;
/** More than are asked for at once. */
const CLUSTERS = 80_000;

/** Data in clusters 10 to 40,009, across a window's end, then one in front of it, and one far behind. */
function makeDisk(): DiskSync {
  const disk = DiskSync.create(new MemoryStorage(), { size: CLUSTERS * CLUSTER, clusterSize: CLUSTER });
  disk.write(new Uint8Array(40_000 * CLUSTER).fill(1), 10 * CLUSTER);
  disk.write(new Uint8Array(CLUSTER).fill(1), 0);
  disk.write(new Uint8Array(CLUSTER).fill(1), 70_000 * CLUSTER);
  return disk;
}

const mapped = (disk: DiskSync) => ({ device: disk, clusterSize: disk.clusterSize, file: disk.info });

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);

describe("A picture of a disk", () => {
  it("adds up all data, in cells and in slots of the file, whatever the number of cells", async () => {
    const disk = makeDisk();
    for (const mostCells of [1, 7, 1000, CLUSTERS]) {
      const picture = await pictureOf(mapped(disk), { offset: 0, length: disk.size, mostCells });
      expect(picture.data.length).toBeLessThanOrEqual(mostCells);
      expect(picture.data.length * picture.cellSize).toBeGreaterThanOrEqual(disk.size);
      expect(sum(picture.data)).toBe(disk.allocatedBytes);
      expect(Math.round(sum(picture.slots))).toBe(disk.allocatedBytes);
      expect(picture.extents).toBe(3);
      expect(sum(picture.breaks)).toBe(2); // what is in front on the disk lies between the others in the file
    }
  });

  it("of a part shows that part, in cells of one cluster where it is small enough", async () => {
    const disk = makeDisk();
    const picture = await pictureOf(mapped(disk), { offset: 8 * CLUSTER, length: 4 * CLUSTER, mostCells: 100 });
    expect([...picture.data]).toEqual([0, 0, CLUSTER, CLUSTER]);
    expect(picture.cellSize).toBe(CLUSTER);
  });
});

describe("An extent", () => {
  it("is the whole run around a place, and that of the first data in a range", async () => {
    const disk = makeDisk();
    const runs = disk.status();
    for (const run of runs) {
      for (const at of [run.offset, run.offset + run.length - CLUSTER]) {
        expect(await extentAt(mapped(disk), at, CLUSTER)).toEqual(run);
      }
    }
    const [second] = runs.filter(({ kind }) => kind === "data").slice(1) as [Extent];
    expect(await extentAt(mapped(disk), 5 * CLUSTER, 20 * CLUSTER)).toEqual(second);
  });
});

describe("The map's view", () => {
  const size = 1_000_000 * 4096;
  const whole = { offset: 0, length: size };

  it("comes closer around a place, stays on the disk and on clusters, and goes back to the whole", () => {
    for (const place of [0, 123_456_789, size - 1]) {
      let view = whole;
      for (let step = 0; step < 8; step++) {
        view = zoomedIn(view, place, 4096);
        expect(view.offset % 4096).toBe(0);
        expect(view.offset).toBeLessThanOrEqual(place);
        expect(view.offset + view.length).toBeGreaterThan(place);
        expect(view.offset + view.length).toBeLessThanOrEqual(size);
      }
      expect(view.length).toBe(64 * 4096);
      for (let step = 0; step < 8; step++) view = zoomedOut(view, place, 4096, size);
      expect(view).toEqual(whole);
    }
  });
});

describe("Text of the serial port", () => {
  it("comes without escape sequences, and a backspace takes a character back", () => {
    expect(plain("\x1b[H\x1b[J\x1b[1;1Hgrub> lx\bs\r\n\rdone\x07")).toBe("grub> ls\ndone");
  });
});

describe("The image among files", () => {
  const found = (...paths: string[]): Found[] => paths.map((path) => ({ path, file: new File([], path) }));

  it("is the only .hds, or the only file", () => {
    expect(sourceAmong(found("any name"))).toMatchObject({ file: { name: "any name" } });
    expect(sourceAmong(found("a.hdd/a.hdd", "a.hdd/a.hds"))).toMatchObject({ file: { name: "a.hdd/a.hds" } });
  });

  it("is not chosen among several, nor made up", () => {
    expect(() => sourceAmong(found("a.hdd/a.0.hds", "a.hdd/a.1.HDS"))).toThrow(/^a\.hdd holds 2 images/);
    expect(() => sourceAmong(found("a.hds", "b.hds"))).toThrow(/^What you chose holds 2 images/);
    expect(() => sourceAmong(found("a/x", "a/y"))).toThrow(/^a holds no \.hds file/);
  });
});
