/** A snapshot whose image is damaged reads through the images over it as it reads by itself: as far as its data can be reached. */
import { describe, expect, it } from "vitest";
import { Bundle, BundleSync } from "../../src/bundle.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { fewCombinations } from "../support/faces.js";
import { fieldOf, setField } from "../support/image.js";
import { patternBytes } from "../support/random.js";

const SECTOR = 512;
const CLUSTER_SIZE = 2 * SECTOR;
const SIZE = 8 * CLUSTER_SIZE;

/** A full disk as a snapshot, whose file is harmed, with nothing written since. */
function harmed(format: "v1" | "v2", harm: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): MemoryFolder {
  const folder = new MemoryFolder();
  const bundle = BundleSync.create(folder, { size: SIZE, clusterSize: CLUSTER_SIZE, format });
  bundle.openDisk().write(patternBytes(1, SIZE), 0);
  bundle.createSnapshot();
  bundle.close();
  const root = folder.list().find((name) => name.endsWith(".hds") && folder.contentOf(name).length > SIZE);
  folder.put(root as string, harm(folder.contentOf(root as string)));
  return folder;
}

const cases = fewCombinations.flatMap((both) => (["v1", "v2"] as const).map((format) => ({ ...both, format })));

describe.each(cases)("Beneath a disk ($format, $face face, $engine engine)", ({ face, engine, format }) => {
  /** What each sector of a snapshot reads as, or the code of its error. */
  async function sectorsOf(folder: MemoryFolder, top: boolean): Promise<string[]> {
    const bundle = await (face === "async" ? Bundle : BundleSync).open(folder, { engine });
    const { guid } = bundle.snapshots[top ? 1 : 0];
    const disk = await bundle.openDisk({ snapshot: guid, readOnly: true });
    const found: string[] = [];
    for (let at = 0; at < SIZE; at += SECTOR) {
      const bytes = new Uint8Array(SECTOR);
      try {
        await disk.read(bytes, at);
        found.push(Buffer.from(bytes).toString("hex"));
      } catch (error) {
        found.push(
          `${(error as { code: string }).code} of ${(error as { details: { cluster: number } }).details.cluster}`,
        );
      }
    }
    await bundle.close();
    return found;
  }

  it("a cluster that the end of its file cuts reads up to that end", async () => {
    const folder = harmed(format, (bytes) => bytes.slice(0, -100));
    const found = await sectorsOf(folder, true);
    expect(found).toEqual(await sectorsOf(folder, false));
    const errors = found.filter((sector) => sector.startsWith("BAD_ENTRY"));
    expect(errors).toEqual(["BAD_ENTRY of 7"]);
  });

  it("a cluster between two reads as what it leads to, one that leads nowhere not at all", async () => {
    const folder = harmed(format, (bytes) => {
      if (format === "v1") setField(bytes, 64 + 4 * 2, fieldOf(bytes, 64 + 4 * 2) + 1);
      setField(bytes, 64 + 4 * 5, 0xffff);
      return bytes;
    });
    const found = await sectorsOf(folder, true);
    expect(found).toEqual(await sectorsOf(folder, false));
    expect(found.filter((sector) => sector.startsWith("BAD_ENTRY"))).toEqual(["BAD_ENTRY of 5", "BAD_ENTRY of 5"]);
  });
});
