/** What is no disk's bytes is refused by name, as input and as base; --from raw takes it as it is. */
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { testWith } from "../support/peers.js";
import { runs, sampled, thorough } from "../support/runs.js";
import { makeDisk, parablock, startParablock } from "./command.js";
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
  for (const [index, { title, name, needs, make, byHand, as = "foreign" }] of FOREIGN_FILES.entries()) {
    if (!thorough && index % 12 > 0 && !title.includes("qcow2")) continue;
    testWith(needs, title, () => {
      const within = newFolder();
      const path = within(as);
      make(path, file("disk.raw"));
      const [above, out] = [file("above.hds"), within("out.hds")];
      const before = readdirSync(dirname(path));
      const refusals: Refusal[] = [
        [["convert", path, out], 1, "--from"],
        ...(thorough || index % 2 === 0
          ? ([[["convert", "--base", path, above, out], 1, "--from-base"]] as Refusal[])
          : []),
        ...(byHand || !(thorough || title.includes("qcow2")) ? [] : others(path, above, within)),
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

describe("the empty file of a bundle", () => {
  it("leads to the images beside it, of which a few are named", () => {
    const within = newFolder();
    writeFileSync(within("vm.hdd"), "");
    for (const number of [0, 1, 2, 3, 4]) makeDisk(within(`vm.hdd.${number}.hds`), { size: 2 ** 20 });
    for (const args of [
      ["info", within("vm.hdd")],
      ["convert", within("vm.hdd"), within("out.raw")],
    ]) {
      const { status, stderr } = parablock(args);
      expect(status).toBe(1);
      expect(stderr).toMatch(/name the image beside it \((vm\.hdd\.\d\.hds, ){3}\.\.\.\)/);
    }
  });
});

describe("--from raw", () => {
  // One by its begin, one by its end, one by its name.
  it.each(sampled(["a qcow2 image by hand", "a VHD image by hand", "an ISO image in .hds"], 3))(
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
  for (const { title, name, needs, make, byHand } of FOREIGN_FILES.filter(
    ({ as }, index) => as === undefined && (thorough || index % 6 === 0),
  )) {
    testWith(needs, `is refused where it is ${title}`, () => {
      const within = newFolder();
      make(within("foreign"), file("disk.raw"));
      const content = readFileSync(within("foreign"));
      const before = readdirSync(within(""));
      const ways = [[within("out.hds")], [within("out.raw")], ["--size", `${content.length}`, within("out.hds")]];
      for (const args of byHand || !thorough ? ways.slice(0, 1) : ways) {
        const { status, stderr } = parablock(["convert", "-", ...args], content);
        expect(status).toBe(1);
        expect(stderr).toMatch(name);
        expect(stderr).toContain("--from raw");
      }
      expect(readdirSync(within(""))).toEqual(before);
    });
  }

  it("is judged by its first bytes when they come one after the other", async () => {
    const within = newFolder();
    const child = startParablock(["convert", "-", within("out.hds")]);
    const closed = once(child, "close");
    let stderr = "";
    child.stderr!.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdin!.on("error", () => {}); // it ends before it has read everything
    const image = readFileSync(file("above.hds"));
    child.stdin!.write(image.subarray(0, 8));
    // The draft is there when reading begins.
    while (readdirSync(within("")).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.stdin!.end(image.subarray(8));
    expect([await closed, stderr]).toEqual([[1, null], expect.stringContaining("holds a Parallels image")]);
    expect(readdirSync(within(""))).toEqual([]);
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
      runs(10, 2),
    );
  });
});
