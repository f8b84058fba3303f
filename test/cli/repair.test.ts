import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openFileSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { BAT, contentOf, makeDamaged, makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
const damaged = (name: string, fields?: Record<number, number>): string => makeDamaged(file(name), fields);

describe("parablock check --repair", () => {
  it("mends everything, names the backup, and leaves what nothing refers to for a second run", () => {
    const path = damaged("all.hds", { [BAT]: 1000, [BAT + 4]: 3 });
    const before = readFileSync(path);
    const { status, stdout, stderr } = parablock(["check", "--repair", "all", path]);
    expect([status, stderr]).toEqual([3, ""]);
    expect(stdout).toContain(`header and BAT as they were: ${path}.backup-1`);
    expect(stdout).toMatch(/^repaired: corruption: 1 BAT entry leads to beyond/m);
    expect(readFileSync(`${path}.backup-1`)).toEqual(before.subarray(0, 64 + 4 * 16));
    expect(stdout).toMatch(/^kept: .* --repair leaks frees it$/m);
    expect(stdout).toMatch(/^leak: \d+ clusters? between used ones/m);
    expect(readFileSync(path).subarray(4096, before.length)).toEqual(before.subarray(4096));
    expect(parablock(["check", path])).toMatchObject({ status: 3 });
    expect(parablock(["check", "--repair", "leaks", path])).toMatchObject({ status: 0 });
    expect(parablock(["check", path])).toMatchObject({ status: 0 });
    const content = contentOf(path);
    expect(content.subarray(0, 4096).every((byte) => byte === 0)).toBe(true);
    expect(content.subarray(4096, 12288).every((byte) => byte === 1)).toBe(true);
  });

  it("puts back what it dropped with --undo, and nothing that was written since", () => {
    const path = damaged("undo.hds", { [BAT]: 1000, [BAT + 4 * 9]: 2000 });
    expect(parablock(["check", "--repair", "all", path]).status).toBe(3);
    const disk = openFileSync(path);
    disk.write(new Uint8Array(10).fill(7), 9 * 4096);
    disk.close();
    const { status, stdout } = parablock(["check", "--undo", `${path}.backup-1`, path]);
    expect(status).toBe(2);
    expect(stdout).toContain("1 entry put back");
    expect(readFileSync(path).readUInt32LE(BAT)).toBe(1000);
    expect(readFileSync(path).readUInt32LE(BAT + 4 * 9)).toBeLessThan(100);
  });

  it("refuses a backup of another image, and says so", () => {
    const path = damaged("mine.hds");
    makeDisk(file("other.hds"), { size: 1 << 20, clusterSize: 8192 });
    const { status, stderr } = parablock(["check", "--undo", file("other.hds"), path]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^parablock: .*backup does not belong to this image.*\n$/);
  });

  it("frees leaks at the end and inside, and makes no backup for that", () => {
    const path = damaged("leaks.hds", { [BAT + 4]: 0 });
    truncateSync(path, 4096 * 8);
    expect(parablock(["check", path]).status).toBe(3);
    const { status, stdout } = parablock(["check", "--repair", "leaks", path]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^repaired: leak: 4 clusters at the end/m);
    expect(stdout).toMatch(/^repaired: leak: 1 cluster between/m);
    expect([statSync(path).size, existsSync(`${path}.backup-1`)]).toEqual([4096 * 4, false]);
    expect(parablock(["check", path]).status).toBe(0);
  });

  it("leaves a damaged image alone if only leaks are to be freed", () => {
    const path = damaged("both.hds", { [BAT]: 1000 });
    truncateSync(path, 4096 * 8);
    const before = readFileSync(path);
    expect(parablock(["check", "--repair", "leaks", path]).status).toBe(2);
    expect(readFileSync(path)).toEqual(before);
  });

  it("reports as JSON what was found, what is left, and the backup", () => {
    const path = damaged("json.hds", { [BAT]: 1000 });
    const { status, stdout } = parablock(["check", "--json", "--repair", "all", path]);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      corruptions: 0,
      leaks: 1,
      findings: [expect.objectContaining({ kind: "leakedInside", severity: "leak" })],
      repaired: expect.arrayContaining([expect.objectContaining({ kind: "outside", count: 1, clusters: [0] })]),
      backup: `${path}.backup-1`,
    });
  });

  it("does not go together with --undo or --force-share", () => {
    const path = damaged("flags.hds");
    for (const more of [["--undo", path], ["--force-share"]]) {
      const { status, stderr } = parablock(["check", "--repair", "all", ...more, path]);
      expect([status, stderr.split("\n").length]).toEqual([1, 2]);
    }
  });
});

describe("An image that is open for writing", () => {
  it("is not read, unless --force-share says so, and the message names the holder", () => {
    const path = damaged("busy.hds");
    const disk = openFileSync(path);
    for (const args of [
      ["check", path],
      ["info", path],
      ["map", path],
      ["convert", path, file("out.raw")],
      ["compare", path, path],
    ]) {
      const refused = parablock(args);
      expect(refused.status).toBe(args[0] === "compare" ? 2 : 1);
      expect(refused.stderr).toContain(`in use by process ${process.pid}`);
      expect(parablock([...args, "--force-share"])).toMatchObject({ status: 0 });
    }
    disk.close();
  });

  it("is not replaced", () => {
    const path = damaged("kept.hds");
    writeFileSync(file("raw"), new Uint8Array(4096));
    const disk = openFileSync(path, { readOnly: true });
    for (const args of [
      ["create", path, "1M"],
      ["convert", file("raw"), path],
    ]) {
      const { status, stderr } = parablock([...args, "--force"]);
      expect(status).toBe(1);
      expect(stderr).toContain("in use");
    }
    disk.close();
    expect(parablock(["create", path, "1M", "--force"]).status).toBe(0);
  });
});
