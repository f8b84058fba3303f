/** Images under absolute paths, in a bundle whose opener allows them. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Bundle } from "../../src/bundle.js";
import { FileFolder } from "../../src/storage/file-folder.js";
import { MemoryFolder } from "../../src/storage/memory-folder.js";
import { temporaryFolder } from "../support/folder.js";
import { patternBytes } from "../support/random.js";

const path = temporaryFolder();

describe("A bundle with an absolute path", () => {
  it("opens where its opener allows that and the folder leads there, and nowhere else", async () => {
    const folder = await FileFolder.open(path("disk.hdd"), { create: "new" });
    const bundle = await Bundle.create(folder, { size: 64 * 512, clusterSize: 4096 });
    const disk = await bundle.openDisk();
    await disk.write(patternBytes(1, 5000), 100);
    await disk.close();
    await bundle.close();
    const image = (await folder.list()).find((name) => name.endsWith(".hds"))!;
    renameSync(path(`disk.hdd/${image}`), path("elsewhere.hds"));
    const descriptor = readFileSync(path("disk.hdd/DiskDescriptor.xml"), "utf8").replace(image, path("elsewhere.hds"));
    writeFileSync(path("disk.hdd/DiskDescriptor.xml"), descriptor);

    await expect(Bundle.open(folder)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    const again = await (await Bundle.open(folder, { allowAbsolute: true })).openDisk({ readOnly: true });
    const read = new Uint8Array(5000);
    await again.read(read, 100);
    expect(read).toEqual(patternBytes(1, 5000));
    await again.close();
    const memory = new MemoryFolder([["DiskDescriptor.xml", new TextEncoder().encode(descriptor)]]);
    const nowhere = await Bundle.open(memory, { allowAbsolute: true });
    await expect(nowhere.openDisk()).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/outside/),
    });
  });
});
