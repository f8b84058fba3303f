import { spawnSync } from "node:child_process";
import fs, { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { createFileSync } from "../../src/node.js";
import { saveBeside } from "../../src/storage/beside.js";
import { cliPath } from "../cli/command.js";
import { temporaryFolder } from "../support/folder.js";
import { patternBytes } from "../support/random.js";

const file = temporaryFolder();

describe("What is saved beside a file", () => {
  it("gets the first free number, and nothing that is there is touched", () => {
    const names = [1, 2, 3].map((tag) => saveBeside(file("a.hds"), "backup", patternBytes(tag, 100 * tag)));
    expect(names).toEqual([1, 2, 3].map((number) => file(`a.hds.backup-${number}`)));
    for (const [index, name] of names.entries())
      expect(new Uint8Array(readFileSync(name))).toEqual(patternBytes(index + 1, 100 * (index + 1)));
  });

  it("is durable, with its name, before its name is answered", () => {
    const original = fs.fsyncSync;
    const synced: number[] = [];
    fs.fsyncSync = (fd) => {
      synced.push(fs.fstatSync(fd).ino);
      original(fd);
    };
    syncBuiltinESMExports();
    try {
      const name = saveBeside(file("b.hds"), "backup", patternBytes(1, 5000));
      expect(synced).toEqual([statSync(name).ino, statSync(dirname(name)).ino]);
    } finally {
      fs.fsyncSync = original;
      syncBuiltinESMExports();
    }
  });

  it.skipIf(process.platform === "win32")("leaves no file where it does not fit, and the image as it was", () => {
    const path = file("full.hds");
    createFileSync(path, { size: 64 << 20, clusterSize: 4096 }).close();
    const fd = fs.openSync(path, "r+");
    fs.writeSync(fd, new Uint8Array([0xff, 0xff, 0xff, 0x7f]), 0, 4, 64); // an entry that leads nowhere
    fs.closeSync(fd);
    const before = readFileSync(path);
    // The backup has 64 KiB, and no file may grow beyond 8 KiB.
    const command = `ulimit -f 16; exec "${process.execPath}" "${cliPath}" check --repair all "${path}"`;
    const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toContain(`saving ${path}.backup-1 failed`);
    expect(readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)))).toEqual([basename(path)]);
    expect(readFileSync(path)).toEqual(before);
    expect(spawnSync(process.execPath, [cliPath, "check", "--repair", "all", path]).status).toBe(0);
    expect(existsSync(`${path}.backup-1`)).toBe(true);
  });
});
