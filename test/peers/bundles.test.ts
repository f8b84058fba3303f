/** QEMU as the second judge of bundles: its chain of backing images reads what we wrote through snapshots, merges and switches. */
import { mkdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { BundleDiskSync } from "../../src/bundle/disks.js";
import { BundleSync } from "../../src/bundle.js";
import { FileFolderSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith, runTool } from "../support/peers.js";
import { below, patternBytes, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { qemu, qemuCheck } from "./qemu.js";

const path = temporaryFolder();
const SECTOR = 512;

/** A snapshot's images as QEMU stacks them. */
function stackOf(folder: string, bundle: BundleSync, guid: string): object {
  const parents = new Map(bundle.snapshots.map((snapshot) => [snapshot.guid, snapshot.parent]));
  const chain: string[] = [];
  for (let at: string | undefined = guid; at !== undefined; at = parents.get(at)) chain.unshift(at);
  let stack: object | undefined;
  for (const one of chain) {
    const image = bundle.parts[0].images.find((candidate) => candidate.guid === one);
    const file = { driver: "file", filename: `${folder}/${image?.file}` };
    if (image?.type === "plain") stack = { driver: "raw", file };
    else stack = { driver: "parallels", file, ...(stack && { backing: stack }) };
  }
  return stack ?? {};
}

function contentByQemu(stack: object): Buffer {
  const raw = path("qemu.raw");
  // A lock of ours on the top is no matter for a reader.
  runTool("qemu-img", "convert", "-U", "-O", "raw", `json:${JSON.stringify(stack)}`, raw);
  return readFileSync(raw);
}

class History {
  readonly states = new Map<string, Uint8Array>();
  bundle: BundleSync;
  disk: BundleDiskSync;
  constructor(
    readonly folder: string,
    readonly random: Random,
  ) {
    mkdirSync(folder);
    const clusterSize = [1, 8, 63, 128][below(random, 4)] * SECTOR;
    const size = (1 + below(random, 900)) * SECTOR;
    const [plain, format] = [random() < 0.3, random() < 0.5 ? ("v1" as const) : ("v2" as const)];
    this.bundle = BundleSync.create(FileFolderSync.open(folder), { size, clusterSize, plain, format });
    this.states.set(this.bundle.top, new Uint8Array(size));
    this.disk = this.bundle.openDisk();
  }

  get now(): Uint8Array {
    return this.states.get(this.bundle.top) as Uint8Array;
  }

  step(tag: number): void {
    const { bundle, disk, random } = this;
    const others = [...this.states.keys()].filter((guid) => guid !== bundle.top);
    const chosen = others[below(random, others.length)];
    const dice = random();
    if (dice < 0.5) {
      const offset = below(random, disk.size);
      const bytes =
        dice < 0.05
          ? new Uint8Array(below(random, disk.size - offset))
          : patternBytes(tag, below(random, Math.min(70_000, disk.size - offset)));
      disk.write(bytes, offset);
      this.now.set(bytes, offset);
    } else if (dice < 0.75 || chosen === undefined) this.states.set(bundle.createSnapshot(), this.now.slice());
    else if (dice < 0.85) {
      bundle.switchSnapshot(chosen);
      this.states.set(bundle.top, (this.states.get(chosen) as Uint8Array).slice());
    } else if (bundle.snapshots.filter(({ parent }) => parent === chosen).length < 2) {
      bundle.deleteSnapshot(chosen);
      this.states.delete(chosen);
    }
  }

  /** QEMU reads every snapshot, and calls every image clean. */
  judge(): void {
    this.disk.close();
    for (const [guid, content] of this.states) {
      const read = contentByQemu(stackOf(this.folder, this.bundle, guid));
      if (Buffer.compare(read.subarray(0, content.length), content) !== 0) expect.fail(`QEMU reads ${guid} otherwise`);
    }
    for (const { type, file } of this.bundle.parts[0].images)
      if (type === "expandable") qemuCheck(`${this.folder}/${file}`);
    this.disk = this.bundle.openDisk();
  }
}

describeWith(qemu, "QEMU", () => {
  it("reads every snapshot of a bundle as we do, whatever was done to it", { timeout: 300_000 }, () => {
    const { numRuns, seed: first = Date.now() % 2 ** 31 } = runs(25, 3);
    for (let seed = first; seed < first + numRuns; seed++) {
      const history = new History(path(`bundle-${seed}.hdd`), randomFrom(seed));
      try {
        for (let step = 0; step < 24; step++) {
          history.step(step);
          if (step % 8 === 7) history.judge();
        }
        history.bundle.close();
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
});
