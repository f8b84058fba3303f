import { describe, expect, it } from "vitest";
import type { FolderSync } from "../../src/storage/folder.js";
import { answeringAtOnce, casesOf } from "../storage/folder-contract.js";
import { patternBytes, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { CrashFolder } from "./crash-folder.js";
import { allFolderStates, countFolderStates, keyOfState, pendingOf, someFolderStates } from "./folder-states.js";
import { FolderWorld, type Judge, type Left, Unsound, type WorldLimits } from "./folder-world.js";

const FEATURES = { punch: true, allocate: true };
const bytes = (...values: number[]) => Uint8Array.from(values.flatMap((value) => Array(512).fill(value)));
const shown = (content: Uint8Array) =>
  Array.from({ length: Math.ceil(content.length / 512) }, (_, at) => content[at * 512]).join("");

function put(folder: FolderSync, name: string, content: Uint8Array, flush: boolean): void {
  const file = folder.create(name);
  file.write(content, 0);
  if (flush) file.flush();
  file.close();
}

/** Every state that a loss of power may leave: "name=first byte of each sector". */
function statesOf(folder: CrashFolder): string[] {
  const pending = pendingOf(folder);
  const states = Array.from(allFolderStates(pending), (state) => {
    const files = Array.from(state.names, ([name, file]) => {
      const { size, picks } = state.files.get(file)!;
      return `${name}=${shown(file.storage.crashed(pending.files.get(file)!, size, picks))}`;
    });
    return files.sort().join(" ");
  });
  expect(states.length).toBe(countFolderStates(pending));
  return states.sort();
}

describe("a folder that can lose power", () => {
  let folder: CrashFolder;
  const kit = {
    name: "CrashFolder",
    sync: true,
    flat: true,
    faces: ["async", "sync"] as const,
    make(files: Record<string, Uint8Array>) {
      folder = new CrashFolder(Object.entries(files), FEATURES);
      return folder;
    },
    reopen: () => folder,
  };
  for (const { title, run } of casesOf(kit)) it(title, () => run(answeringAtOnce(kit)));

  it("keeps the names that were synced, and no other for certain", () => {
    const folder = new CrashFolder([["a", bytes(1)]], FEATURES);
    expect(statesOf(folder)).toEqual(["a=1"]);
    put(folder, "b", bytes(2), true);
    expect(statesOf(folder)).toEqual(["a=1", "a=1 b=2"]);
    folder.sync();
    folder.remove("a");
    expect(statesOf(folder)).toEqual(["a=1 b=2", "b=2"]);
    folder.sync();
    expect(statesOf(folder)).toEqual(["b=2"]);
  });

  it("keeps either what a name led to or what it was given, never neither nor a mixture", () => {
    const folder = new CrashFolder(
      [
        ["a", bytes(1, 1)],
        ["new", bytes(2, 2)],
      ],
      FEATURES,
    );
    folder.rename("new", "a");
    expect(statesOf(folder)).toEqual(["a=11 new=22", "a=22"]);
  });

  it("may keep a name whose bytes were not flushed: nothing, or a torn part", () => {
    const folder = new CrashFolder([], FEATURES);
    put(folder, "a", bytes(1, 2), false);
    expect(statesOf(folder)).toEqual(["", "a=", "a=0", "a=00", "a=02", "a=1", "a=10", "a=12"]);
    folder.sync(); // of names alone
    expect(statesOf(folder)).toEqual(["a=", "a=0", "a=00", "a=02", "a=1", "a=10", "a=12"]);
  });

  it("keeps any subset of changes that goes together, and makes no file of nothing", () => {
    const folder = new CrashFolder(
      [
        ["a", bytes(1)],
        ["b", bytes(2)],
      ],
      FEATURES,
    );
    folder.remove("a");
    put(folder, "c", bytes(3), true);
    folder.rename("c", "b");
    expect(statesOf(folder)).toEqual(["a=1 b=2", "a=1 b=2 c=3", "a=1 b=3", "b=2", "b=2 c=3", "b=3"]);
  });

  it("tells a file from a later one of its name", () => {
    const folder = new CrashFolder([["a", bytes(1)]], FEATURES);
    folder.rename("a", "b");
    put(folder, "a", bytes(2), true);
    expect(statesOf(folder)).toEqual(["a=1", "a=2 b=1", "b=1"]);
  });

  it("leaves all as it was ordered where the process alone dies, and knows states again that became durable", () => {
    const folder = new CrashFolder([["a", bytes(1)]], FEATURES);
    const file = folder.open("a");
    file.write(bytes(2), 0);
    put(folder, "b", bytes(3), false);
    expect(Array.from(folder.contents(), ([name, content]) => `${name}=${shown(content)}`)).toEqual(["a=2", "b=3"]);
    const keys = () =>
      new Set(Array.from(allFolderStates(pendingOf(folder)), (state) => keyOfState(state, pendingOf(folder))));
    const before = keys();
    file.flush();
    folder.sync();
    const after = keys();
    expect(after.size).toBeLessThan(before.size);
    for (const key of after) expect(before).toContain(key);
  });

  it("samples what it cannot visit whole, all of it from states that are possible", () => {
    const folder = new CrashFolder([["a", bytes(1, 1)]], FEATURES);
    folder.open("a").write(bytes(2, 2), 0);
    put(folder, "b", bytes(3), false);
    folder.rename("b", "c");
    const pending = pendingOf(folder);
    const possible = new Set(Array.from(allFolderStates(pending), (state) => keyOfState(state, pending)));
    const sampled = Array.from(someFolderStates(folder, pending, 2000, randomFrom(1)), (state) =>
      keyOfState(state, pending),
    );
    for (const key of sampled) expect(possible).toContain(key);
    expect(new Set(sampled).size).toBe(possible.size);
  });
});

/** What a pointer says, and the file that it points to: "v1" of these bytes, "v2" of others. */
const CONTENTS = { v1: patternBytes(1, 1500), v2: patternBytes(2, 2100) } as const;
const text = (value: string) => new TextEncoder().encode(value);

interface Faults {
  leaveOut?: "flush" | "sync before the pointer" | "flush of the pointer" | "sync before the removal" | "last sync";
  inPlace?: boolean;
}

/** Goes from one version to the next, as snapshots do: the new file, then the pointer by rename, then the old file goes. */
function replace(world: FolderWorld, { leaveOut, inPlace }: Faults, done: () => void): void {
  world.run((folder) => {
    const sync = (which: Faults["leaveOut"]) => leaveOut !== which && folder.sync();
    put(folder, "v2", CONTENTS.v2, leaveOut !== "flush");
    sync("sync before the pointer");
    if (inPlace) {
      const pointer = folder.open("pointer");
      pointer.truncate(0);
      pointer.write(text("v2"), 0);
      pointer.flush();
      pointer.close();
    } else {
      put(folder, "pointer.part", text("v2"), leaveOut !== "flush of the pointer");
      folder.rename("pointer.part", "pointer");
    }
    sync("sync before the removal");
    folder.remove("v1");
    sync("last sync");
    done();
    world.promise();
  });
}

const LIMITS: WorldLimits = { losing: "power", exhaustive: 4096, sampled: 200, states: 100_000 };

function play(faults: Faults, limits: Partial<WorldLimits> = {}, seed = 1): FolderWorld {
  let done = false;
  const judge: Judge = (left: Left) => {
    const version = new TextDecoder().decode(left.get("pointer")) as keyof typeof CONTENTS;
    const content = left.get(version);
    if (!content || Buffer.compare(content, CONTENTS[version]) !== 0) throw new Error(`the pointer says "${version}"`);
    if (done && (version !== "v2" || left.size !== 2)) throw new Error("what was promised is not there");
  };
  const files = [["v1", CONTENTS.v1] as const, ["pointer", text("v1")] as const];
  const world = new FolderWorld(files, FEATURES, { random: randomFrom(seed), limits: { ...LIMITS, ...limits }, judge });
  replace(world, faults, () => {
    done = true;
  });
  return world;
}

const FAULTS: Faults[] = [
  { leaveOut: "flush" },
  { leaveOut: "sync before the pointer" },
  { leaveOut: "flush of the pointer" },
  { leaveOut: "sync before the removal" },
  { leaveOut: "last sync" },
  { inPlace: true },
];

describe("a program on a folder that can lose power", () => {
  it("is sound where it flushes and syncs what it needs", () => {
    const world = play({});
    expect(world.sampledMoments).toBe(0);
    expect(world.visited).toBeGreaterThan(50);
    expect(play({}, { exhaustive: 0 }).visited).toBeGreaterThan(20);
    expect(play({}, { losing: "nothing" }).visited).toBeGreaterThan(10);
  });

  it.each(FAULTS)("is caught with %o, where all states are visited and where some are", (faults) => {
    expect(() => play(faults)).toThrow(Unsound);
    for (let seed = 0; seed < runs(20, 4).numRuns; seed++)
      expect(() => play(faults, { exhaustive: 0 }, seed)).toThrow(Unsound);
  });

  it("that is killed with the power on needs no flush, but an order", () => {
    for (const { leaveOut } of FAULTS) if (leaveOut) play({ leaveOut }, { losing: "nothing" });
    expect(() => play({ inPlace: true }, { losing: "nothing" })).toThrow(/the pointer says ""/);
  });

  it("fails with what was asked and what was left", () => {
    expect(() => play({ leaveOut: "flush" })).toThrow(
      /the power was lost and left .*v2: file 2.*\n.*\d+: create v2\n/s,
    );
  });
});
