/**
 * What tests need from outside: other programs, and disks that other software wrote. Where one is missing its tests
 * skip, and say so by name; where CI is "true" they fail instead, so that a run there is never silently smaller.
 */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { native } from "../../src/storage/native.js";

/** Something outside that tests stand on. */
export interface Need {
  name: string;
  present: boolean;
  /** Whether its absence is a failure: in CI, where it ought to be. */
  required: boolean;
}

const inCi = process.env.CI === "true";
const sharedFolder = fileURLToPath(new URL("../../../shared/", import.meta.url));
/** Where the fixtures lie, if they are there. */
export const fixturesFolder = join(sharedFolder, "fixtures");
const casesFolder = join(sharedFolder, "cases");

/** Servers lie where the PATH of most users does not lead. */
const searchPath = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"].filter(Boolean);

/** Where a program of this name lies. */
export function findTool(name: string): string | undefined {
  return searchPath
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Whether a program of this name is there. */
export const hasTool = (name: string): boolean => findTool(name) !== undefined;

/** The need for a program. */
export const tool = (name: string): Need => ({ name, present: hasTool(name), required: inCi });

/** The calls of the operating system that koffi makes. */
export const nativeCalls: Need = { name: "koffi, on Linux", present: typeof native() !== "string", required: inCi };

/** A limit of address space, `ulimit -v`, that the system keeps. */
export const addressSpaceLimits: Need = {
  name: "limits of address space (Linux)",
  present: process.platform === "linux",
  required: inCi,
};

/** The need for the fixtures: a folder beside the repository, which is not part of it. */
export const fixtures: Need = {
  name: "the fixtures (../shared/fixtures)",
  present: existsSync(fixturesFolder),
  required: inCi && existsSync(sharedFolder),
};

/** The need for inputs on which something failed once: a folder beside the repository, which is not part of it. */
export const cases: Need = {
  name: "the cases (../shared/cases)",
  present: existsSync(casesFolder),
  required: inCi && existsSync(sharedFolder),
};

/** For what takes too long for a plain run, and is done by CI. */
export const allOfCi: Need = { name: "CI=true", present: inCi, required: false };

/** `describe`, if all that its tests need is there. */
export function describeWith(needs: readonly Need[], title: string, body: () => void): void {
  const missing = needs.filter((need) => !need.present);
  if (missing.length === 0) describe(title, body);
  else if (missing.some((need) => need.required)) it(title, () => fail(missing));
  else describe.skip(`${title} (skipped: ${namesOf(missing)} missing)`, body);
}

/** `it`, if all that the test needs is there. */
export function testWith(needs: readonly Need[], title: string, body: () => void | Promise<void>): void {
  const missing = needs.filter((need) => !need.present);
  if (missing.length === 0) it(title, body);
  else if (missing.some((need) => need.required)) it(title, () => fail(missing));
  else it.skip(`${title} (skipped: ${namesOf(missing)} missing)`, body);
}

/** Runs a program to its end and answers what it printed. @throws Error with its messages if it fails */
export function runTool(name: string, ...args: string[]): string {
  return execFileSync(name, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 28 });
}

/** The content of a fixture, unpacked where it ends in .gz. `name` is a path in the fixtures folder. */
export function readFixture(name: string): Uint8Array {
  const bytes = readFileSync(join(fixturesFolder, name));
  return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

/** One of the cases, unpacked where its name ends in .gz. */
export function readCase(name: string): Uint8Array {
  const bytes = readFileSync(join(casesFolder, name));
  return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

function fail(missing: Need[]): never {
  throw new Error(`${namesOf(missing)} missing: install what is needed, in CI nothing may be skipped`);
}

function namesOf(missing: Need[]): string {
  return missing.map((need) => need.name).join(", ");
}
