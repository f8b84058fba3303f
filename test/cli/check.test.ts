import { truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { BAT, makeDamaged, parablock } from "./command.js";

const file = temporaryFolder();
const damaged = (name: string, fields?: Record<number, number>): string => makeDamaged(file(name), fields);

describe("parablock check", () => {
  it("ends with 0 for a sound image", () => {
    const { status, stdout, stderr } = parablock(["check", damaged("sound.hds")]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("sound.hds: no errors");
    expect(stdout).toContain("3 of 16 clusters");
  });

  it("ends with 1 if it could not run", () => {
    writeFileSync(file("text"), "no disk");
    expect(parablock(["check", file("text")])).toMatchObject({ status: 1, stdout: "" });
    expect(parablock(["check", file("absent")]).status).toBe(1);
    expect(parablock(["check"]).status).toBe(1);
  });

  it("ends with 2 for corruption, and lists it", () => {
    const { status, stdout } = parablock(["check", damaged("corrupt.hds", { [BAT]: 1000, [BAT + 4]: 3 })]);
    expect(status).toBe(2);
    expect(stdout).toMatch(/^corruption: 1 BAT entry leads to beyond the end of the file/m);
    expect(stdout).toMatch(/^corruption: 1 BAT entry leads to a cluster that another entry uses/m);
    expect(stdout).toMatch(/corrupt.hds: 2 corruptions/);
  });

  it("ends with 3 for leaks only", () => {
    const path = damaged("leak.hds");
    truncateSync(path, 4096 * 8);
    const { status, stdout } = parablock(["check", path]);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^leak: 4 clusters/m);
  });

  it("counts an image that was not closed cleanly as one corruption, which any repair clears", () => {
    for (const level of ["leaks", "all"]) {
      const path = damaged(`unclean-${level}.hds`, { 44: 0x746f6e59 });
      const { status, stdout } = parablock(["check", path]);
      expect(status).toBe(2);
      expect(stdout).toMatch(/^corruption: the image was not closed cleanly/m);
      expect(stdout).toMatch(/1 corruption, 0 leaked clusters; repair with --repair leaks$/m);
      const repaired = parablock(["check", "--repair", level, path]);
      expect(repaired.status).toBe(0);
      expect(repaired.stdout).toMatch(/^repaired: corruption: the image was not closed cleanly/m);
      expect(parablock(["check", path])).toMatchObject({ status: 0 });
    }
  });

  it("lists it all as JSON, with the same exit code", () => {
    const { status, stdout } = parablock(["check", "--json", file("corrupt.hds")]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      filename: file("corrupt.hds"),
      corruptions: 2,
      totalClusters: 16,
      allocatedClusters: 3,
      findings: expect.arrayContaining([
        expect.objectContaining({ kind: "outside", severity: "corruption", count: 1 }),
      ]),
    });
  });
});
