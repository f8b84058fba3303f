/** What holds for every command line: nothing given twice, nothing empty. Commands and options are those that the help lists. */
import { readdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folder.js";
import { sampled, thorough } from "../support/runs.js";
import { makeDisk, parablock } from "./command.js";

const file = temporaryFolder();
makeDisk(file("a.hds"), { size: 2 ** 20 });
parablock(["create", file("a.hdd"), "1M"]);
writeFileSync(file("b.raw"), new Uint8Array(2 ** 20));
writeFileSync(file("c.raw"), new Uint8Array(512));

/** Arguments with which a command works. */
const ARGUMENTS: Record<string, string[]> = {
  create: [file("out.hds"), "1M"],
  info: [file("a.hds")],
  map: [file("a.hds")],
  convert: [file("b.raw"), file("out.hds")],
  compare: [file("a.hds"), file("b.raw")],
  check: [file("a.hds")],
  commit: [file("a.hds"), "--base", file("b.raw")],
  rebase: [file("a.hds"), "--from", file("b.raw")],
  compact: [file("a.hds")],
  resize: [file("a.hds"), "1M"],
  bitmap: ["list", file("a.hds")],
  snapshot: ["list", file("a.hdd")],
  bench: ["--quick", file("a.hds")],
};

/** Two values that an option takes, by what its help calls them. */
const VALUES: Record<string, [string, string]> = {
  "<size>": ["1M", "2M"],
  "<version>": ["v1", "v2"],
  "<kind>": ["parallels", "raw"],
  "<what>": ["leaks", "all"],
  "<number>": ["1", "2"],
  "<out>": [file("out.svg"), file("out-2.svg")],
  "<backup>": [file("b.raw"), file("c.raw")],
  "<file>": [file("b.raw"), file("c.raw")],
  "<uuid>": ["e4f2eed0-37fe-4539-b50b-85d2e7fd235f", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"],
  "<guid>": ["{5fbaabe3-6958-40ff-92a7-860e329aab41}", "{704718e1-2314-44c8-9087-d78ed36b0f4e}"],
};

const commands = Array.from(
  parablock(["--help"]).stdout.matchAll(/^ {2}([a-z]+) (?=.*(?:\[options\]))/gm),
  ([, name]) => name!,
);

interface Listed {
  command: string;
  name: string;
  value: string;
}

const options = commands.flatMap((command) =>
  Array.from(
    parablock([command, "--help"]).stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+) (<[a-z]+>|\[[a-z]+\])/gm),
    ([, name, value]): Listed => ({ command, name: name!, value: value! }),
  ),
);

/** `check` says 2 for corruption, so that its usage errors are 1. */
const usageExit = (command: string) => (command === "check" ? 1 : 2);

function expectRefused(command: string, args: string[], message: string | RegExp): void {
  const before = readdirSync(dirname(file("x"))).sort();
  const { status, stdout, stderr } = parablock([command, ...args]);
  expect(stderr).toMatch(message);
  expect([status, stdout]).toEqual([usageExit(command), ""]);
  expect(stderr).toMatch(/^parablock: [^\n]+ - see `parablock [^\n]*--help`\n$/);
  expect(readdirSync(dirname(file("x"))).sort()).toEqual(before);
}

describe("every option of every command", () => {
  it("is known to this test", () => {
    expect(commands.sort()).toEqual(Object.keys(ARGUMENTS).sort());
    expect(options.length).toBeGreaterThan(15);
    expect(options.filter(({ value }) => VALUES[value] === undefined)).toEqual([]);
  });

  it.each(sampled(options, 5))("is refused when it is given twice: $command $name", ({ command, name, value }) => {
    const [one, other] = VALUES[value];
    for (const twice of [
      [name, one, name, other],
      [`${name}=${one}`, name, other],
      [name, one, ...ARGUMENTS[command], `${name}=${one}`],
    ].slice(thorough ? 0 : 2)) {
      const rest = twice.length > 4 ? [] : ARGUMENTS[command];
      expectRefused(command, [...twice, ...rest], `option '${name} ${value}' is given twice`);
    }
  });

  it.each(sampled(options, 6))("is refused when its value is empty: $command $name", ({ command, name }) => {
    for (const empty of thorough ? [[`${name}=`], [name, ""]] : [[name, ""]])
      expectRefused(command, [...empty, ...ARGUMENTS[command]], name);
  });
});

describe("every name", () => {
  it.each(sampled(commands, 3))("is refused at once when it is empty: %s", (command) => {
    const args = ARGUMENTS[command];
    for (const index of args.keys()) {
      if (!args[index].startsWith("--")) expectRefused(command, args.with(index, ""), /is empty|is invalid/);
    }
  });
});

describe("options that exclude each other", () => {
  it("are refused together", () => {
    expectRefused("bench", ["--quick", "--seconds", "1"], "cannot be used with");
  });

  it("are no flags that are repeated", () => {
    expect(parablock(["--debug", "info", "--json", "--debug", "--json", file("a.hds")]).status).toBe(0);
  });
});
