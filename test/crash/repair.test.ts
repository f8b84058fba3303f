import { expect, test } from "vitest";
import { DiskSync } from "../../src/disk-sync.js";
import type { EngineKind } from "../../src/engine/engine.js";
import { DiskError } from "../../src/errors.js";
import { HEADER_SIZE } from "../../src/format/header.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { below, type Random, randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { allStates, countStates, someStates } from "./crash-states.js";
import { CrashStorage } from "./crash-storage.js";
import { type DamagedImage, damagedImage, fileOffsetOf } from "./damaged-image.js";
import { readAll } from "./judge.js";
import { equalBytes } from "./words.js";

const { numRuns: wanted, seed: firstSeed = Date.now() % 2 ** 31 } = runs(20_000, 2_000);

const EXHAUSTIVE = 32;
const SAMPLED = 10;
const GENERATIONS = 3;

/** What a repair that nothing interrupts makes of an image; undefined where it cannot be mended. */
interface Mended {
  content: Uint8Array;
  /** The file after it was closed. */
  bytes: Uint8Array;
  /** What an undo needs, where something was dropped. */
  backup: Uint8Array | undefined;
  /** It was damaged: then the repair frees nothing. */
  damaged: boolean;
}

class InterruptedRepair {
  visited = 0;
  readonly #image: DamagedImage;
  readonly #random: Random;
  readonly #engine: EngineKind;

  constructor(image: DamagedImage, random: Random) {
    this.#image = image;
    this.#random = random;
    this.#engine = random() < 0.05 ? "wasm" : "js";
  }

  run(): void {
    const mended = this.#mended();
    if (mended === undefined) return;
    this.#keepsReadable(mended);
    this.#interrupt(this.#image.bytes, mended, 0);
    if (mended.backup !== undefined) this.#interruptUndo(mended, mended.backup);
  }

  #mended(): Mended | undefined {
    const storage = new MemoryStorage(this.#image.bytes);
    const damaged = this.#isDamaged(this.#image.bytes);
    try {
      const repaired = this.#repair(storage);
      const bytes = storage.toUint8Array();
      if (damaged) this.#keepsBytes(bytes);
      return { ...repaired, bytes, damaged };
    } catch (error) {
      if (!isHopeless(error)) throw error;
      if (!equalBytes(storage.toUint8Array(), this.#image.bytes))
        throw new Error("a repair that gives up changes bytes");
      return undefined;
    }
  }

  #isDamaged(bytes: Uint8Array): boolean {
    try {
      DiskSync.open(new MemoryStorage(bytes), { engine: this.#engine }).abandon();
      return false;
    } catch {
      return true;
    }
  }

  /** Repairs, checks that at most leaks are left, and answers what the disk reads as. */
  #repair(storage: MemoryStorage | CrashStorage): Pick<Mended, "content" | "backup"> {
    const disk = DiskSync.open(storage, { engine: this.#engine, repair: "all", prealloc: { mode: "off" } });
    const left = disk.repaired!.after.findings.filter(({ severity }) => severity !== "leak");
    if (left.length > 0) throw new Error(left.map(({ message }) => message).join("; "));
    const content = readAll(disk);
    disk.close();
    return { content, backup: disk.repaired!.backup as Uint8Array | undefined };
  }

  /** Behind the tables every byte of a damaged file is as it was: what nothing refers to may be what a wrong entry meant. */
  #keepsBytes(bytes: Uint8Array): void {
    const from = this.#image.tablesEnd;
    const kept = equalBytes(bytes.slice(from, this.#image.bytes.length), this.#image.bytes.slice(from));
    if (!kept || bytes.length < this.#image.bytes.length)
      throw new Error("a repair changes or cuts what the file held");
  }

  /** What could be read before, and did lie in the data area, reads the same afterwards. */
  #keepsReadable({ content }: Mended): void {
    const { bytes, clusterSize, dataStart } = this.#image;
    const disk = DiskSync.open(new MemoryStorage(bytes), { readOnly: true, engine: this.#engine });
    for (let cluster = 0; cluster < disk.clusterCount; cluster++) {
      const offset = cluster * clusterSize;
      const before = new Uint8Array(Math.min(clusterSize, disk.size - offset));
      if (fileOffsetOf(this.#image, cluster) < dataStart || !reads(disk, before, offset)) continue;
      if (!equalBytes(before, content.slice(offset, offset + before.length)))
        throw new Error(`a repair changes cluster ${cluster}, which was readable`);
    }
  }

  #interrupt(bytes: Uint8Array, mended: Mended, generation: number): void {
    const storage = new CrashStorage(bytes, { punch: this.#random() < 0.7, allocate: false });
    const judge = (crashed: Uint8Array) => this.#judge(crashed, mended, generation, storage.saved.length > 0);
    this.#throughCrashes(storage, () => this.#repair(storage), judge, `in generation ${generation}`);
  }

  /** An undo that is cut off leaves an image that reads as the repaired one, and can be repaired again. */
  #interruptUndo(mended: Mended, backup: Uint8Array): void {
    const storage = new CrashStorage(mended.bytes, { punch: false, allocate: false });
    // Behind a BAT that was too short there are entries that lead somewhere: the undo is what makes them show.
    const shows = backup.length > HEADER_SIZE + 4 * new DataView(backup.buffer, backup.byteOffset).getUint32(32, true);
    const judge = (crashed: Uint8Array) => {
      this.visited++;
      this.#keepsBytes(crashed);
      DiskSync.open(new MemoryStorage(crashed), { engine: this.#engine, readOnly: true }).close();
      const { content } = this.#repair(new MemoryStorage(crashed));
      if (!shows && !equalBytes(content, mended.content)) throw new Error("an undo changes what the disk reads as");
    };
    this.#throughCrashes(storage, () => DiskSync.undoRepair(storage, backup), judge, "in an undo");
  }

  /** Runs an operation, and judges what a crash could leave after each of its requests. */
  #throughCrashes(
    storage: CrashStorage,
    operate: () => unknown,
    judge: (crashed: Uint8Array) => void,
    where: string,
  ): void {
    let seen = new Set<number>();
    let fault: Error | undefined;
    storage.onChange = () => {
      if (fault !== undefined) return;
      const pending = storage.pending();
      if (pending.sectors.length + pending.sizes.length === 1) seen = new Set();
      const few = countStates(pending) <= EXHAUSTIVE;
      const states = few ? allStates(pending, true) : someStates(pending, SAMPLED, this.#random, seen);
      for (const { size, picks } of states) {
        const crashed = storage.crashed(pending, size, picks);
        try {
          judge(crashed);
        } catch (error) {
          fault = new Error(
            `${(error as Error).message}\n  ${where} after\n    ${storage.log.join("\n    ")}\n  with size ${size} and sectors ${picks} left`,
            { cause: error },
          );
          return;
        }
      }
    };
    operate();
    if (fault !== undefined) throw fault;
  }

  #judge(crashed: Uint8Array, mended: Mended, generation: number, saved: boolean): void {
    this.visited++;
    if (generation === 0 && !saved) this.#keepsEntries(crashed);
    if (mended.damaged) this.#keepsBytes(crashed);
    DiskSync.open(new MemoryStorage(crashed), { engine: this.#engine, readOnly: true }).close();
    const { content } = this.#repair(new MemoryStorage(crashed));
    if (!equalBytes(content, mended.content)) {
      const { clusterSize } = this.#image;
      const at = content.findIndex((byte, index) => byte !== mended.content[index]);
      throw new Error(`the next repair makes something else of cluster ${Math.floor(at / clusterSize)}`);
    }
    if (generation + 1 >= GENERATIONS || this.#random() >= 0.02) return;
    // Where all the damage was mended already, the next run takes it for an image that was merely not closed.
    this.#interrupt(crashed, { ...mended, damaged: this.#isDamaged(crashed) }, generation + 1);
  }

  /** Before a backup is made no entry is dropped. */
  #keepsEntries(crashed: Uint8Array): void {
    const { bytes } = this.#image;
    const [before, after] = [new DataView(bytes.buffer), new DataView(crashed.buffer)];
    for (let at = HEADER_SIZE; at < HEADER_SIZE + 4 * before.getUint32(32, true); at += 4) {
      if (before.getUint32(at, true) !== 0 && after.getUint32(at, true) === 0)
        throw new Error(`an entry was dropped (byte ${at}) before there was a backup`);
    }
  }
}

/** Whether a repair gave up because there is no room for a longer BAT: it does not move data for that. */
function isHopeless(error: unknown): boolean {
  if (!(error instanceof DiskError) || error.code !== "CORRUPT") return false;
  const findings = error.details.findings as { kind: string }[];
  return findings.every(({ kind }) => kind === "batTooSmall");
}

/** Whether a range can be read. */
function reads(disk: DiskSync, buffer: Uint8Array, offset: number): boolean {
  try {
    disk.read(buffer, offset);
    return true;
  } catch {
    return false;
  }
}

test("a repair that is cut off anywhere, again and again, loses nothing that the repair in one go keeps", {
  timeout: Math.max(600_000, 2 * wanted),
}, () => {
  let [visited, images] = [0, 0];
  for (let seed = firstSeed; visited < wanted; seed++, images++) {
    const random = randomFrom(seed);
    const image = damagedImage(random);
    const repair = new InterruptedRepair(image, randomFrom(seed + below(random, 2 ** 20)));
    try {
      repair.run();
    } catch (error) {
      const lines = [(error as Error).message, `PARABLOCK_SEED=${seed} plays it again:`, ...image.lines];
      throw new Error(lines.join("\n  "), { cause: error });
    }
    visited += repair.visited;
  }
  console.log(`crash states of repairs visited: ${visited} in ${images} damaged images (seed ${firstSeed})`);
  expect(visited).toBeGreaterThanOrEqual(wanted);
});
