/** The rooms of docs/design.md: imports point down the list only, in no circle, and the command knows the public API only. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The rooms from the top of the list to its end, and what lies in each. */
const rooms = (/^```\n(playground .*?)^```/ms.exec(read("docs/design.md"))?.[1] ?? "")
  .trim()
  .split("\n")
  .map((line) => ({ name: line.split(" ")[0], paths: line.match(/\b(?:src|web)\/[\w./-]*/g) ?? [] }));

const files = ["src", "web"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".ts")),
);

const roomOf = (file: string) =>
  rooms.findIndex(({ paths }) => paths.some((path) => (path.endsWith("/") ? file.startsWith(path) : file === path)));

interface Import {
  from: string;
  to: string;
  /** Only of types: nothing is loaded for it. */
  types: boolean;
}

const imports: Import[] = files.flatMap((from) => {
  const statements = read(from).matchAll(/^(?:import|export)\s([^;]*?)\sfrom "(\.[^"]+)";|import\("(\.[^"]+)"\)/gm);
  return Array.from(statements, ([, what = "", fixed, late = fixed]) => ({
    from,
    to: normalize(join(dirname(from), late as string))
      .replaceAll("\\", "/")
      .replace(/\.js$/, ".ts"),
    types: what.startsWith("type ") || /^\{\s*(?:type \w+,?\s*)+\}$/.test(what),
  }));
});

describe("The rooms", () => {
  test("have every file, each in one of them", () => {
    expect(rooms.length).toBeGreaterThan(10);
    expect(files.filter((file) => roomOf(file) < 0 && file !== "src/engine/wasm-bytes.ts")).toEqual([]);
    expect(imports.filter(({ from, to }) => from.startsWith("src/") && !files.includes(to))).toEqual([]);
    expect(imports.length).toBeGreaterThan(500);
  });

  test("import only what is below them", () => {
    const upwards = imports.filter(({ from, to }) => files.includes(to) && roomOf(to) < roomOf(from));
    expect(upwards.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("of the library the command knows the public part", () => {
    const known = ["command", "measure", "show", "library", "basics"];
    const inside = imports.filter(
      ({ from, to }) => from.startsWith("src/cli/") && !known.includes(rooms[roomOf(to)].name),
    );
    expect(inside.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("have no circle of imports", () => {
    const needs = new Map(files.map((file) => [file, new Set<string>()]));
    for (const { from, to, types } of imports) if (!types) needs.get(from)?.add(to);
    // Whoever needs nobody that is left cannot be in a circle.
    for (let size = -1; size !== needs.size; ) {
      size = needs.size;
      for (const [file, needed] of needs) if (![...needed].some((one) => needs.has(one))) needs.delete(file);
    }
    expect([...needs.keys()]).toEqual([]);
  });
});
