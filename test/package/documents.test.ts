/** What the documents name exists, and what exists is named: docs/, CONTRIBUTING.md and package.json agree with the code. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  FLAG,
  HEADER_SIZE,
  IN_USE,
  MAX_BAT_ENTRIES,
  MAX_CLUSTER_SECTORS,
  SECTOR_SIZE,
} from "../../src/format/header.js";
import * as main from "../../src/index.js";
import * as node from "../../src/node.js";
import { DEFAULT_CLUSTER_SIZE } from "../../src/options.js";
import { MANIFEST, ROOT } from "./installation.js";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const matches = (text: string, pattern: RegExp) => Array.from(text.matchAll(pattern), (match) => match[1]);

describe("docs/format.md", () => {
  test("gives the constants that the code has", () => {
    const code: Record<string, number> = {
      ...{ SECTOR_SIZE, HEADER_SIZE, MAX_CLUSTER_SECTORS, MAX_BAT_ENTRIES, DEFAULT_CLUSTER_SIZE },
      ...Object.fromEntries(Object.entries(IN_USE).map(([name, value]) => [`IN_USE.${name}`, value])),
      ...Object.fromEntries(Object.entries(FLAG).map(([name, value]) => [`FLAG.${name}`, value])),
    };
    const rows = read("docs/format.md").matchAll(/^\| `([\w.]+)` \| (\w+) \|/gm);
    expect(Object.fromEntries(Array.from(rows, ([, name, value]) => [name, Number(value)]))).toEqual(code);
  });
});

describe("docs/api.md", () => {
  const page = read("docs/api.md");
  const named = new Set(matches(page, /`([\w.]+)[^`]*`/g));

  test("names everything that the package exports", () => {
    expect(Object.keys({ ...main, ...node }).filter((name) => !named.has(name))).toEqual([]);
  });

  test("names every verb and property of the faces, and no other", () => {
    const own = (prototype: object) => Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
    const members = [...own(main.Disk.prototype), ...own(Object.getPrototypeOf(main.Disk.prototype))];
    const disks = page.slice(page.indexOf("## Disks"), page.indexOf("## Block devices"));
    const rows = matches(disks, /^\| `([\w.]+)/gm).filter((name) => !name.startsWith("Disk."));
    expect(rows.sort()).toEqual(members.sort());
    expect(own(main.DiskSync.prototype).sort()).toEqual(own(main.Disk.prototype).sort());
  });

  test("names every option and every error code, and no other", () => {
    const options = page.slice(page.indexOf("## Options"), page.indexOf("## Storages"));
    const declared = new Set(matches(read("src/options.ts"), /^ {2}(\w+)\??: .*;$/gm));
    expect(new Set(matches(options, /^\| `(\w+)`/gm))).toEqual(declared);
    const errors = page.slice(page.indexOf("## Errors"));
    expect(matches(errors, /^\| `([A-Z_]+)`/gm)).toEqual(matches(read("src/errors.ts"), /^ {2}\| "([A-Z_]+)"/gm));
  });
});

test("CONTRIBUTING.md names every npm script, and no other", () => {
  const named = matches(read("CONTRIBUTING.md"), /^\| `npm (?:run )?([\w:-]+)[` ]/gm).filter((name) => name !== "ci");
  const scripts = Object.keys(MANIFEST.scripts).filter((name) => !name.startsWith("pre"));
  expect([...new Set(named)].sort()).toEqual(scripts.sort());
});

test("docs/design.md tells the dependencies that the package has", () => {
  const rows = matches(read("docs/design.md"), /^\| ([\w-]+) \|/gm).filter((name) => name !== "package");
  expect(rows).toEqual(Object.keys(MANIFEST.optionalDependencies));
  expect(MANIFEST.dependencies).toBeUndefined();
});

test("paths that the documents name exist", () => {
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  const documents = ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];
  const paths = documents.flatMap((document) =>
    matches(read(document), /`((?:src|docs|test|bench|assembly|demo)\/[\w./-]*)`/g),
  );
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
