import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
const md5 = (path: string) => createHash("md5").update(readFileSync(path)).digest("hex");

describe("parablock bench", () => {
  it("measures both operations, patterns and faces on disks of its own", () => {
    const { status, stdout, stderr } = parablock(["bench", "--json", "--seconds", "0.5"]);
    expect([status, stderr]).toEqual([0, ""]);
    const { machine, rows } = JSON.parse(stdout) as { machine: string; rows: Record<string, unknown>[] };
    expect(machine).toContain("Node");
    const combinations = rows.map(({ operation, pattern, face }) => `${operation} ${pattern} ${face}`);
    expect(new Set(combinations).size).toBe(8);
    for (const row of rows) expect(row.wasmToRaw).toBeGreaterThan(0);
  });

  it("prints a table, ratios first", () => {
    const { status, stdout } = parablock(["bench", "--seconds", "0.3"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/wasm : raw file .* wasm : TypeScript .* request/);
  });

  it("only reads a disk of the user's", () => {
    makeDisk(file("a.hds"), { size: 4 * 2 ** 20, fills: [[0, 3 * 2 ** 20, 1]] });
    const before = md5(file("a.hds"));
    const { status, stdout } = parablock(["bench", file("a.hds"), "--json", "--seconds", "0.3"]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).rows.every((row: { operation: string }) => row.operation === "read")).toBe(true);
    expect(md5(file("a.hds"))).toBe(before);
  });

  it("says so where there is nothing to read", () => {
    makeDisk(file("empty.hds"), { size: 2 ** 20 });
    expect(parablock(["bench", file("empty.hds")])).toMatchObject({ status: 1, stdout: "" });
    expect(parablock(["bench", "--seconds", "0"]).status).toBe(2);
  });
});
