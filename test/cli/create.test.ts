import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { openFileSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, runTool, tool } from "../support/peers.js";
import { parablock } from "./command.js";

const file = temporaryFolder();

describe("parablock create", () => {
  it("makes an empty disk with the usual cluster size and format", () => {
    const { status, stdout, stderr } = parablock(["create", file("usual.hds"), "1.5G"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("1.5 GiB, format v2, clusters of 1 MiB");
    const disk = openFileSync(file("usual.hds"), { readOnly: true });
    expect([disk.size, disk.clusterSize, disk.format, disk.allocatedBytes]).toEqual([1.5 * 2 ** 30, 2 ** 20, "v2", 0]);
    disk.close();
  });

  it("takes a cluster size and a format, and reports as JSON", () => {
    const path = file("small.hds");
    const { status, stdout } = parablock([
      "create",
      "--json",
      path,
      "100K",
      "--cluster-size",
      "31.5K",
      "--format",
      "v1",
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ filename: path, format: "v1", size: 102400, clusterSize: 32256 });
  });

  it.each([
    ["1", 512],
    ["1000", 1024],
    ["1025", 1536],
    ["1.0009765625K", 1536],
    ["1024", 1024],
    ["0", 0],
  ])("rounds %s bytes up to whole sectors", (wanted, size) => {
    const path = file(`rounded-${wanted}.hds`);
    const { status, stdout } = parablock(["create", "--json", path, wanted]);
    expect([status, JSON.parse(stdout).size]).toEqual([0, size]);
    const disk = openFileSync(path, { readOnly: true });
    expect(disk.size).toBe(size);
    disk.close();
  });

  it("does not overwrite a file without --force", () => {
    const path = file("precious");
    writeFileSync(path, "precious");
    const { status, stderr } = parablock(["create", path, "1M"]);
    expect(status).toBe(1);
    expect(stderr).toBe(`parablock: ${path} exists already: choose another name, or overwrite it with --force\n`);
    expect(readFileSync(path, "utf8")).toBe("precious");
    expect(parablock(["create", "--force", path, "1M"]).status).toBe(0);
    expect(readFileSync(path).length).toBe(2 ** 20);
  });

  it("keeps the file that it was to replace if the new one cannot be made", () => {
    const path = file("kept");
    writeFileSync(path, "kept");
    expect(parablock(["create", "--force", path, "1M", "--cluster-size", "1000"]).status).toBe(1);
    expect(readFileSync(path, "utf8")).toBe("kept");
  });

  it("makes what a symbolic link leads to, where there is nothing yet", () => {
    symlinkSync("later", file("dangling"));
    for (const args of [
      ["create", file("dangling"), "1M"],
      ["convert", "--to", "raw", file("dangling"), file("raw-link")],
    ]) {
      if (args[0] === "convert") symlinkSync("raw-later", file("raw-link"));
      expect(parablock(args)).toMatchObject({ status: 0, stderr: "" });
    }
    for (const [link, target] of [
      ["dangling", "later"],
      ["raw-link", "raw-later"],
    ] as const) {
      expect(lstatSync(file(link)).isSymbolicLink()).toBe(true);
      expect(readFileSync(file(target)).length).toBe(2 ** 20);
    }
  });

  it("replaces what a symbolic link names, not the link", () => {
    writeFileSync(file("linked"), "");
    symlinkSync(file("linked"), file("link"));
    expect(parablock(["create", "--force", file("link"), "1M"]).status).toBe(0);
    expect(readFileSync(file("linked")).length).toBe(2 ** 20);
  });

  it("leaves nothing behind when it fails", () => {
    for (const args of [
      ["1M", "--cluster-size", "1000"],
      ["3T", "--format", "v1"],
      ["2T", "--cluster-size", "512"],
    ]) {
      const { status, stderr } = parablock(["create", file("never.hds"), ...args]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^parablock: [^\n]*\n$/);
    }
    expect(readdirSync(dirname(file("x"))).filter((name) => name.includes("never"))).toEqual([]);
  });

  it("says what is wrong with the place", () => {
    mkdirSync(file("folder"));
    expect(parablock(["create", file("folder"), "1M"]).stderr).toContain("is a directory: name a file in it");
    expect(parablock(["create", file("no/where.hds"), "1M"]).stderr).toContain("make the folder first");
    expect(existsSync(file("no"))).toBe(false);
  });
});

describeWith([tool("qemu-img")], "qemu-img and a created disk", () => {
  it("agree that it is empty and sound", () => {
    parablock(["create", file("q.hds"), "3G"]);
    expect(JSON.parse(runTool("qemu-img", "info", "--output=json", file("q.hds")))).toMatchObject({
      format: "parallels",
      "virtual-size": 3 * 2 ** 30,
    });
    runTool("qemu-img", "check", file("q.hds"));
  });
});
