import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, fixtures, nativeCalls, readFixture } from "../support/peers.js";
import { cliPath, makeDisk, parablock, patch } from "./command.js";

const file = temporaryFolder();
const IN_USE_FIELD = 44;

describe("parablock info", () => {
  it("says what there is to know, in lines for people", () => {
    makeDisk(file("a.hds"), { size: 2 ** 20, clusterSize: 4096, fills: [[8192, 4096, 7]] });
    const { status, stdout, stderr } = parablock(["info", file("a.hds")]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^format: +Parallels expandable image, v2$/m);
    expect(stdout).toMatch(/^virtual size: +1 MiB \(1048576 bytes\)$/m);
    expect(stdout).toMatch(/^cluster size: +4 KiB \(4096 bytes\)$/m);
    expect(stdout).toMatch(/^allocated: +4 KiB, 1 of 256 clusters \(0.39 %\)$/m);
    expect(stdout).toMatch(/^file size: +8 KiB \(8192 bytes\), on disk /m);
    expect(stdout).toMatch(/^state: +closed cleanly$/m);
    expect(stdout).toMatch(/^data offset: +4 KiB/m);
    expect(stdout).toMatch(/^extension: +none$/m);
    expect(stdout).toMatch(/^geometry: +4 cylinders, 16 heads, 32 sectors$/m);
  });

  it("says it all as JSON", () => {
    const { status, stdout } = parablock(["info", "--json", file("a.hds")]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      filename: file("a.hds"),
      format: "v2",
      size: 2 ** 20,
      clusterSize: 4096,
      clusterCount: 256,
      allocatedBytes: 4096,
      fileSize: 8192,
      diskUsage: expect.any(Number),
      dataOffset: 4096,
      inUse: 0,
      unclean: false,
      extension: { present: false },
      geometry: { cylinders: 4, heads: 16, sectors: 32 },
      findings: [],
    });
  });

  it("says how the image was locked, and why not by the system", () => {
    const run = (env: Record<string, string>, ...args: string[]) =>
      spawnSync(process.execPath, [cliPath, "info", ...args, file("a.hds")], {
        env: { ...process.env, ...env },
        encoding: "utf8",
      }).stdout;
    const plain = { PARABLOCK_NO_NATIVE: "1" };
    expect(JSON.parse(run(plain, "--json"))).toMatchObject({ lock: "file", lockFallback: expect.any(String) });
    expect(run(plain)).toMatch(/^lock: +lock files, which QEMU does not see: .+$/m);
    expect(run({}, "--force-share")).toMatch(/^lock: +none: opened with share$/m);
    if (!nativeCalls.present) return;
    const facts = JSON.parse(run({}, "--json"));
    expect([facts.lock, facts.lockFallback]).toEqual(["system", undefined]);
    expect(run({})).toMatch(/^lock: +the system's$/m);
  });

  it.each([
    [0x746f6e59, /open for writing, or not closed cleanly/],
    [0x312e3276, /closed cleanly \("v2\.1"\)/],
    [0x37316470, /closed cleanly \("pd17"\)/],
    [1, /closed cleanly \(0x1\)/],
  ])("names the in_use mark 0x%s", (mark, expected) => {
    patch(file("a.hds"), { [IN_USE_FIELD]: mark });
    expect(parablock(["info", file("a.hds")]).stdout).toMatch(expected);
  });

  it("names the file in what goes wrong, in one line that says what to do", () => {
    writeFileSync(file("text"), "this is no disk");
    const { status, stdout, stderr } = parablock(["info", file("text")]);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^parablock: .*\/text: this is not a Parallels image: [^\n]*\n$/);
    expect(parablock(["info", file("absent")]).stderr).toMatch(
      /^parablock: .*\/absent does not exist: check the path\n$/,
    );
  });
});

describeWith([fixtures], "parablock info on disks of other software", () => {
  it("reads Virtuozzo's extension and Parallels Desktop's mark", () => {
    writeFileSync(file("bitmap.hds"), readFixture("parallels-with-bitmap.hds.gz"));
    const { stdout } = parablock(["info", file("bitmap.hds")]);
    expect(stdout).toMatch(/^extension: +at byte 2097152$/m);
    expect(stdout).toMatch(/^virtual size: +64 GiB/m);
  });
});
