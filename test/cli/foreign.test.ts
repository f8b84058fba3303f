/** What is no disk's bytes is refused by name, as input and as base; --from raw takes it as it is. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { testWith } from "../support/peers.js";
import { runs } from "../support/runs.js";
import { cliPath, makeDisk, parablock } from "./command.js";
import { FOREIGN_FILES } from "./foreign-files.js";

const file = temporaryFolder();
const disk = Uint8Array.from({ length: 2 ** 20 }, (_, index) => (index * 31) ^ (index >> 9));
writeFileSync(file("disk.raw"), disk);
makeDisk(file("above.hds"), { size: 2 ** 20, fills: [[0, 512, 1]] });

/** A folder that no other test writes in. */
let folders = 0;
function newFolder(): (name: string) => string {
  const folder = file(`${folders++}`);
  mkdirSync(folder);
  return (name) => join(folder, name);
}

type Refusal = [args: string[], exit: number, option: string | undefined];

/** What else reads a file. */
const others = (path: string, above: string, within: (name: string) => string): Refusal[] => [
  [["convert", path, within("out.raw")], 1, "--from"],
  [["compare", above, path], 2, "--from-b"],
  [["compare", "--base-a", path, above, above], 2, "--from-base-a"],
  [["map", "--base", path, above], 1, "--from-base"],
  [["info", path], 1, undefined],
  [["check", path], 1, undefined],
  [["map", path], 1, undefined],
];

describe("parablock refuses by name", () => {
  for (const { title, name, needs, make, byHand, as = "foreign" } of FOREIGN_FILES) {
    testWith(needs, title, () => {
      const within = newFolder();
      const path = within(as);
      make(path, file("disk.raw"));
      const [above, out] = [file("above.hds"), within("out.hds")];
      const before = readdirSync(dirname(path));
      const refusals: Refusal[] = [
        [["convert", path, out], 1, "--from"],
        [["convert", "--base", path, above, out], 1, "--from-base"],
        ...(byHand ? [] : others(path, above, within)),
      ];
      for (const [args, exit, option] of refusals) {
        const { status, stdout, stderr } = parablock(args);
        expect([args, status, stdout]).toEqual([args, exit, ""]);
        expect(stderr).toMatch(/^parablock: [^\n]*\n$/);
        expect(stderr).toContain(path);
        if (option === undefined) continue;
        expect(stderr).toMatch(name);
        expect(stderr).toContain(`${option} raw`);
      }
      expect(readdirSync(dirname(path))).toEqual(before);
    });
  }
});

describe("--from raw", () => {
  // One by its begin, one by its end, one by its name.
  it.each(["a qcow2 image by hand", "a VHD image by hand", "an ISO image in .hds"])(
    "takes the bytes of %s as they are",
    (wanted) => {
      for (const { make, as = "foreign" } of FOREIGN_FILES.filter(({ title }) => title === wanted)) {
        const within = newFolder();
        make(within(as), file("disk.raw"));
        const bytes = readFileSync(within(as));
        expect(parablock(["convert", "--from", "raw", within(as), within("out.hds")]).status).toBe(0);
        expect(parablock(["compare", "--from-a", "raw", within(as), within("out.hds")]).status).toBe(0);
        expect(parablock(["compare", "--from-b", "raw", within("out.hds"), within(as)]).status).toBe(0);
        makeDisk(within("above.hds"), { size: bytes.length });
        const base = ["--base", within(as), "--from-base", "raw"];
        expect(parablock(["convert", ...base, within("above.hds"), within("merged.raw")]).status).toBe(0);
        expect(Buffer.compare(readFileSync(within("merged.raw")), bytes)).toBe(0);
        expect(parablock(["map", ...base, within("above.hds")]).status).toBe(0);
        const bases = ["--base-a", within(as), "--from-base-a", "raw"];
        expect(parablock(["compare", ...bases, within("above.hds"), within("out.hds")]).status).toBe(0);
      }
    },
  );

  it.each([
    ["convert", file("above.hds"), file("out.raw"), "--from-base", "raw"],
    ["map", file("above.hds"), "--from-base", "raw"],
    ["compare", file("above.hds"), file("above.hds"), "--from-base-a", "raw"],
    ["compare", file("above.hds"), file("above.hds"), "--from-base-b", "raw"],
  ])("is a usage error for the base of none: %s", (...args) => {
    const { status, stderr } = parablock(args);
    expect([status, stderr]).toEqual([2, expect.stringContaining("says what the base is")]);
  });
});

describe("standard input", () => {
  const inPieces = async (pieces: readonly Uint8Array[], args: string[]) => {
    const child = spawn(process.execPath, [cliPath, "convert", "-", ...args], { stdio: ["pipe", "ignore", "pipe"] });
    const closed = once(child, "close");
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdin.on("error", () => {}); // it may end before it has read everything
    for (const piece of pieces) {
      child.stdin.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.stdin.end();
    const [status] = await closed;
    return { status, stderr };
  };

  for (const { title, name, needs, make, byHand } of FOREIGN_FILES.filter(({ as }) => as === undefined)) {
    testWith(needs, `is refused where it is ${title}`, () => {
      const within = newFolder();
      make(within("foreign"), file("disk.raw"));
      const content = readFileSync(within("foreign"));
      const before = readdirSync(within(""));
      const ways = [[within("out.hds")], [within("out.raw")], ["--size", `${content.length}`, within("out.hds")]];
      for (const args of byHand ? ways.slice(0, 1) : ways) {
        const { status, stderr } = parablock(["convert", "-", ...args], content);
        expect(status).toBe(1);
        expect(stderr).toMatch(name);
        expect(stderr).toContain("--from raw");
      }
      expect(readdirSync(within(""))).toEqual(before);
    });
  }

  it.each([
    ["begins a Parallels image", readFileSync(file("above.hds")), "holds a Parallels image"],
    ["begins a tar archive", Buffer.alloc(2 ** 20).fill("ustar", 257, 262), "a tar archive"],
    ["ends a fixed VHD", Buffer.alloc(2 ** 20).fill("conectix", 2 ** 20 - 512, 2 ** 20 - 504), "a VHD image"],
    ["is all of a pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"],
  ])("is refused in whatever pieces it comes: what %s", async (_, content, name) => {
    for (const cut of [[8], [1, 3, 200], [content.length - 300, content.length - 8]]) {
      const cuts = [0, ...cut.filter((at) => at > 0 && at < content.length), content.length];
      const pieces = cuts.slice(1).map((to, index) => content.subarray(cuts[index], to));
      const within = newFolder();
      const { status, stderr } = await inPieces(pieces, [within("out.hds")]);
      expect([status, stderr]).toEqual([1, expect.stringContaining(name)]);
      expect(readdirSync(within(""))).toEqual([]);
    }
  });

  it("is taken in whatever pieces it comes where it is a raw disk", async () => {
    const within = newFolder();
    const pieces = [disk.subarray(0, 8), disk.subarray(8, 1000), disk.subarray(1000)];
    expect(await inPieces(pieces, [within("out.raw")])).toEqual({ status: 0, stderr: "" });
    expect(Buffer.compare(readFileSync(within("out.raw")), disk)).toBe(0);
  });
});

describe("a raw disk", () => {
  it("is converted whatever is in it", () => {
    const begins = fc.constantFrom("\xeb\x3c\x90", "\0", "\xfa", "LUKS\xba\xbe", "XFSB", "With", "<", "P", "Q");
    fc.assert(
      fc.property(begins, fc.uint8Array({ maxLength: 3000 }), fc.boolean(), (begin, rest, bootable) => {
        const bytes = Buffer.concat([Buffer.from(begin, "latin1"), Buffer.from([0x5a]), rest]);
        if (bootable && bytes.length >= 512) bytes.set([0x55, 0xaa], 510);
        const within = newFolder();
        writeFileSync(within("in"), bytes);
        expect(parablock(["convert", within("in"), within("out.raw"), "--to", "raw"])).toMatchObject({
          status: 0,
          stderr: "",
        });
        expect(Buffer.compare(readFileSync(within("out.raw")), bytes)).toBe(0);
      }),
      runs(10),
    );
  });
});
