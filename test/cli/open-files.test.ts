/** The files that a command reads: what is in the page cache comes at once, and nobody waits for its end. */
import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { WatchedFile } from "../../src/cli/open-files.js";
import { temporaryFolder } from "../support/folder.js";

const path = temporaryFolder();
const BLOCK = 4096;
const BLOCKS = 64;

const content = Uint8Array.from({ length: BLOCK * BLOCKS + 10 }, (_, index) => (index * 7 + (index >> 12)) % 251);

async function openFile(name: string): Promise<WatchedFile> {
  writeFileSync(path(name), content);
  return WatchedFile.open(path(name), { readOnly: true });
}

it("Small reads get the file's bytes, up to its end, and tell how far it is read", async () => {
  const file = await openFile("read");
  const ends: number[] = [];
  file.onRead = (end) => ends.push(end);
  const buffer = new Uint8Array(BLOCK);
  for (let round = 0; round < 2; round++) {
    for (let offset = 0; offset + BLOCK <= content.length; offset += BLOCK) {
      expect(await file.read(buffer, offset)).toBe(BLOCK);
      expect(buffer).toEqual(content.subarray(offset, offset + BLOCK));
    }
    expect(await file.read(buffer, BLOCKS * BLOCK)).toBe(10);
    expect(await file.read(buffer, content.length)).toBe(0);
  }
  expect(ends.length).toBe(2 * (BLOCKS + 2));
  expect(ends[0]).toBe(BLOCK);
  await file.read(buffer, 0);
  await file.close();
  for (let again = 0; again < 3; again++) await expect(file.read(buffer, 0)).rejects.toMatchObject({ code: "CLOSED" });
});

it("Small reads that never end leave the event loop its turns", async () => {
  const file = await openFile("turns");
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const readers = [0, 1, 2].map(async (start) => {
    const buffer = new Uint8Array(BLOCK);
    const end = performance.now() + 150;
    for (let block = start; performance.now() < end; block++) await file.read(buffer, (block % BLOCKS) * BLOCK);
  });
  await Promise.all(readers);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
  await file.close();
});
