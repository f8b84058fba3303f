import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { BundleSync } from "../../src/bundle.js";
import { FileFolderSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { below, randomFrom } from "../support/random.js";
import { runs, thorough } from "../support/runs.js";
import { buildProgram, Child } from "./programs.js";

const path = temporaryFolder();
const KILLS = runs(40, 2).numRuns;
/** Steps after which a process ends by itself, lines after which it is killed at the latest, and how long after them. */
const [STEPS, LINES, MILLISECONDS] = [150, 40, 8];

const SETUPS = [
  { name: "one", format: "v2", clusterSize: 4096 },
  { name: "plain", format: "v1", clusterSize: 4096, plain: true },
  { name: "split", format: "v2", clusterSize: 3 * 512, split: 10 * 3 * 512 },
] as const;

let program: string;
beforeAll(() => {
  program = buildProgram("snapshotter", path);
});

/** What the lines of the processes say of the bundle, as sums of contents. */
class Said {
  readonly shots = new Map<string, string>();
  /** What the disk may read as. */
  tops: string[];
  /** The verb that is under way, and what it is about. */
  doing: [verb: string, about: string] | undefined;
  verbs = 0;

  constructor(top: string) {
    this.tops = [top];
  }

  take(line: string): void {
    const [verb = "", about = ""] = line.split(" ");
    if (verb === "w") this.tops.push(about);
    else if (verb === "F") this.tops = this.tops.slice(-1);
    else if (/^[cxg]$/.test(verb)) this.doing = [verb, about];
    else if (/^[CXG]$/.test(verb)) this.#done(verb, about);
  }

  #done(verb: string, guid: string): void {
    if (verb === "C") this.#holds(guid, this.doing![1]);
    else if (verb === "X") this.shots.delete(guid);
    else this.tops = [this.shots.get(guid)!];
    this.doing = undefined;
    this.verbs++;
  }

  /** A snapshot is there, and with it what it was taken of. */
  #holds(guid: string, sum: string): void {
    this.shots.set(guid, sum);
    this.tops = [sum];
  }

  /** What is listed reads as was said; from here on that is what there is. */
  settle(found: ReadonlyMap<string, string>, top: string, about: string): void {
    const [verb, what = ""] = this.doing ?? [];
    for (const guid of this.shots.keys())
      if (!found.has(guid)) {
        expect([verb, what], `${about}: ${guid} is gone`).toEqual(["x", guid]);
        this.shots.delete(guid);
      }
    for (const [guid, sum] of found) {
      if (!this.shots.has(guid) && verb === "c") this.#holds(guid, what);
      expect(sum, `${about}: snapshot ${guid}`).toBe(this.shots.get(guid));
    }
    const allowed = verb === "g" ? [...this.tops, this.shots.get(what)] : this.tops;
    expect(allowed, about).toContain(top);
    this.tops = [top];
    this.doing = undefined;
  }
}

function sumOf(bundle: BundleSync, snapshot: string): string {
  const disk = bundle.openDisk({ snapshot, readOnly: true });
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  disk.close();
  return createHash("md5").update(bytes).digest("hex");
}

/** Looks at what is left, repairs it, and looks again. */
function expectKept(folder: string, said: Said, about: string): void {
  const bundle = BundleSync.open(FileFolderSync.open(folder));
  expectSound(bundle, said, about);
  const { after } = bundle.repair("leaks");
  expect([after.strays, after.unfinished], about).toEqual([[], []]);
  for (const { report } of after.images) expect(report?.corruptions ?? 0, about).toBe(0);
  expectSound(bundle, said, about);
  bundle.close();
  expectSound(BundleSync.open(FileFolderSync.open(folder)), said, about);
}

function expectSound(bundle: BundleSync, said: Said, about: string): void {
  const listed = bundle.snapshots.filter(({ top, temporary }) => !top && !temporary);
  const found = new Map(listed.map(({ guid }) => [guid, sumOf(bundle, guid)]));
  said.settle(found, sumOf(bundle, bundle.top), about);
}

test.each(SETUPS)(
  "a process that is killed while it takes, deletes and switches snapshots leaves each of them right ($name)",
  { timeout: 600_000 },
  async ({ name, ...shape }) => {
    const seed = runs(1).seed ?? below(Math.random, 2 ** 31);
    const random = randomFrom(seed);
    const folder = path(`${name}.hdd`);
    const made = BundleSync.create(FileFolderSync.open(folder, { create: "new" }), { size: 60 * 1024, ...shape });
    const said = new Said(sumOf(made, made.top));
    made.close();
    let midway = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const child = Child.node(program, [folder, below(random, 2 ** 31), STEPS].map(String));
      const most = 2 + below(random, LINES);
      let count = 0;
      await child.line(() => ++count >= most).catch(() => {}); // it may have come to its end
      await setTimeout(below(random, MILLISECONDS));
      await child.kill();
      expect(child.errors).toBe("");
      for (const line of child.lines) said.take(line);
      if (said.doing !== undefined) midway++;
      expectKept(folder, said, `seed ${seed}, kill ${kill}`);
    }
    if (thorough) expect(Math.min(said.verbs, 2 * midway)).toBeGreaterThan(KILLS / 2); // else the test would say little
    console.log(`${name}: ${KILLS} kills, ${midway} of them within a verb; ${said.verbs} verbs ended (seed ${seed})`);
  },
);
